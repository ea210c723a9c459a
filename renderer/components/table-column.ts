/** What the virtual table needs to know of a column. */
export interface TableColumn {
  readonly name: string;
  readonly label: string;
  readonly widthPx: number;
  readonly isNumber: boolean;
  readonly isSortable: boolean;
}
