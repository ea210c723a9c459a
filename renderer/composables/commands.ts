/**
 * Commands by their stable ids: the desktop menu, shortcuts and buttons all run the same ones. A screen that is there may carry out a command of its
 * own; its handler goes with it.
 */
import { onBeforeUnmount, onMounted } from 'vue';

export type CommandId =
  | 'project.new'
  | 'project.open'
  | 'project.save'
  | 'project.saveAs'
  | 'export.csv'
  | 'table.filter'
  | 'run.start'
  | 'run.stop'
  | 'help.keys'
  | 'help.about';

const handlers = new Map<string, () => void>();

/** Carries out a command while the calling component is mounted. */
export function onCommand(id: CommandId, handler: () => void): void {
  onMounted(() => handlers.set(id, handler));
  onBeforeUnmount(() => {
    if (handlers.get(id) === handler) handlers.delete(id);
  });
}

/** Runs a command. False when nothing that is there carries it out. */
export function runCommand(id: string): boolean {
  const handler = handlers.get(id);
  handler?.();
  return handler !== undefined;
}

interface Shortcut {
  readonly id: CommandId;
  readonly key: string;
  readonly isShift?: boolean;
  readonly isControl?: boolean;
}

/** @source workbench conventions: accelerators */
export const SHORTCUTS: readonly Shortcut[] = [
  { id: 'run.start', key: 'F5' },
  { id: 'run.stop', key: 'F5', isShift: true },
  { id: 'project.new', key: 'n', isControl: true },
  { id: 'project.open', key: 'o', isControl: true },
  { id: 'project.save', key: 's', isControl: true },
  { id: 'project.saveAs', key: 's', isControl: true, isShift: true },
  { id: 'table.filter', key: 'f', isControl: true },
  { id: 'help.keys', key: '?', isShift: true },
];

/** A key pressed there is text. */
export const isTyping = (target: EventTarget | null): boolean =>
  target instanceof HTMLElement && target.matches('input, textarea, select, [contenteditable]');

/** The command a key press stands for. Single-letter keys count only when nobody is typing. */
export function commandOf(event: KeyboardEvent): CommandId | undefined {
  const isControl = event.ctrlKey || event.metaKey;
  const found = SHORTCUTS.find(
    (one) =>
      one.key.toLowerCase() === event.key.toLowerCase() &&
      (one.isControl ?? false) === isControl &&
      (one.isShift ?? false) === event.shiftKey,
  );
  return found?.key === '?' && isTyping(event.target) ? undefined : found?.id;
}

/** `Shift+F5`, as it is written. */
export function shortcutText({ key, isControl, isShift }: Shortcut): string {
  const shownKey = key.length === 1 ? key.toUpperCase() : key;
  return [isControl === true ? 'Ctrl' : '', isShift === true && key !== '?' ? 'Shift' : '', shownKey]
    .filter((part) => part !== '')
    .join('+');
}
