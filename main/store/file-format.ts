/** What marks a file as a project of ours. */

/** "blkl" in ASCII: what `file` shows for our projects. */
export const APPLICATION_ID = 0x626c6b6c;

/** Newest file format this version knows: the number of the last `schema/NNN_up.sql`, kept in `user_version`. */
export const FILE_FORMAT = 2;
