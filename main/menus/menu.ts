/** The application menu as data: every item is a role of the platform, or a command that the page carries out (it has the same commands in its palette). */
import type { MenuItemConstructorOptions } from 'electron';

/** A command of the page, by its stable id. */
const command = (id: string, label: string, accelerator?: string): MenuEntry => ({
  id,
  label,
  ...(accelerator === undefined ? {} : { accelerator }),
});

interface MenuEntry {
  readonly id: string;
  readonly label: string;
  readonly accelerator?: string;
}

type Entry = MenuEntry | 'separator' | { readonly role: NonNullable<MenuItemConstructorOptions['role']> };

const MENUS: readonly { readonly label: string; readonly entries: readonly Entry[] }[] = [
  {
    label: 'File',
    entries: [
      command('project.new', 'New Project', 'CmdOrCtrl+N'),
      command('project.open', 'Open…', 'CmdOrCtrl+O'),
      'separator',
      command('project.save', 'Save', 'CmdOrCtrl+S'),
      command('project.saveAs', 'Save As…', 'CmdOrCtrl+Shift+S'),
      'separator',
      command('export.csv', 'Export CSV…'),
      'separator',
      { role: 'close' },
    ],
  },
  {
    label: 'Edit',
    entries: [
      { role: 'undo' },
      { role: 'redo' },
      'separator',
      { role: 'cut' },
      { role: 'copy' },
      { role: 'paste' },
      { role: 'selectAll' },
      'separator',
      command('table.filter', 'Filter', 'CmdOrCtrl+F'),
    ],
  },
  {
    label: 'View',
    entries: [
      { role: 'resetZoom' },
      { role: 'zoomIn' },
      { role: 'zoomOut' },
      'separator',
      { role: 'togglefullscreen' },
    ],
  },
  {
    label: 'Run',
    entries: [command('run.start', 'Run', 'F5'), command('run.stop', 'Stop', 'Shift+F5')],
  },
  { label: 'Window', entries: [{ role: 'minimize' }, { role: 'zoom' }] },
  { label: 'Help', entries: [command('help.keys', 'Keyboard Shortcuts'), command('help.about', 'About blklab')] },
];

/** The menu as Electron's template. `run` is called with the id of a command. */
export function menuTemplate(platform: string, run: (id: string) => void): MenuItemConstructorOptions[] {
  const menus: MenuItemConstructorOptions[] = MENUS.map(({ label, entries }) => ({
    label,
    submenu: entries.map((entry): MenuItemConstructorOptions => {
      if (entry === 'separator') return { type: 'separator' };
      if ('role' in entry) return { role: entry.role };
      return { ...entry, click: () => run(entry.id) };
    }),
  }));
  return platform === 'darwin' ? [{ role: 'appMenu' }, ...menus] : menus;
}
