/** Where in a JSON text a pointer points: for marks beside the text. Works on text written one key per line, as `JSON.stringify` with an indent does. */
import { partsOf } from '../../stores/pointer.ts';

/** The line (1-based) of the deepest part of the pointer that is there; undefined when not even the first is. */
export function lineOfPointer(text: string, pointer: string): number | undefined {
  const lines = text.split('\n');
  let from = 0;
  let found: number | undefined;
  let depth = -1;
  for (const part of partsOf(pointer)) {
    const index = lines.findIndex((line, i) => i >= from && isKey(line, part) && indentOf(line) > depth);
    if (index < 0) return found;
    found = index + 1;
    depth = indentOf(lines[index]);
    from = index + 1;
  }
  return found;
}

const isKey = (line: string, key: string): boolean => line.trimStart().startsWith(`${JSON.stringify(key)}:`);
const indentOf = (line: string): number => line.length - line.trimStart().length;
