/** Rows of one page at most. @assume far above any screen; a bound on what one answer may weigh. */
export const MAX_PAGE_ROWS = 10_000;
