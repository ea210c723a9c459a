import { describe, expect, test } from 'vitest';
import { menuTemplate } from '../menus/menu.ts';
import { projectArgument } from './arguments.ts';
import { visibleBounds } from './bounds.ts';

describe('the window', () => {
  const screen = { x: 0, y: 0, width: 1920, height: 1080 };

  test('appears where it was', () => {
    const state = { x: 100, y: 50, width: 1000, height: 700, isMaximized: false };
    expect(visibleBounds(state, [screen])).toEqual({ x: 100, y: 50, width: 1000, height: 700 });
  });

  test.each([
    ['right of every screen', 1900, 50],
    ['left of it', -950, 50],
    ['above it', 100, -20],
    ['below it', 100, 1050],
  ])('that was %s keeps its size only', (_where, x, y) => {
    const state = { x, y, width: 1000, height: 700, isMaximized: false };
    expect(visibleBounds(state, [screen])).toEqual({ width: 1000, height: 700 });
  });

  test('on a second screen that is still there stays there', () => {
    const state = { x: 2000, y: 50, width: 1000, height: 700, isMaximized: false };
    expect(visibleBounds(state, [screen, { ...screen, x: 1920 }])).toMatchObject({ x: 2000 });
  });
});

describe('the menu', () => {
  test('sends each command by its id; ids and accelerators are unique', () => {
    const sent: string[] = [];
    const template = menuTemplate('linux', (id) => sent.push(id));
    const items = template.flatMap(({ submenu }) => (Array.isArray(submenu) ? submenu : []));
    const commands = items.filter((item) => item.click !== undefined);
    for (const item of commands) (item.click as () => void)();
    expect(sent).toEqual(commands.map((item) => item.id));
    expect(new Set(sent).size).toBe(sent.length);
    const keys = items.flatMap((item) => (item.accelerator === undefined ? [] : [item.accelerator]));
    expect(new Set(keys).size).toBe(keys.length);
    expect(sent).toEqual(expect.arrayContaining(['project.open', 'project.save', 'run.start', 'run.stop']));
  });

  test('offers no reload', () => {
    expect(JSON.stringify(menuTemplate('linux', () => undefined))).not.toMatch(/reload|toggleDevTools/i);
  });

  test('begins with the application menu on macOS', () => {
    expect(menuTemplate('darwin', () => undefined)[0]).toEqual({ role: 'appMenu' });
  });
});

describe('the arguments of a start', () => {
  test('may name a project, relative to where the program was started', () => {
    expect(projectArgument(['electron', '.', '--flag', 'a.blklab'], '/home/x')).toBe('/home/x/a.blklab');
    expect(projectArgument(['electron', '.', '--a=b.blklab'], '/home/x')).toBeUndefined();
  });
});
