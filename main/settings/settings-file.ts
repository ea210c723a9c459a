/**
 * One JSON file of settings: read leniently (a broken file counts as empty: settings are not worth refusing to start), written to a temporary name
 * and renamed, so that it is never half there.
 */
import { mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import * as z from 'zod';

const settingsSchema = z.object({
  recent: z.array(z.string()).default([]),
  window: z
    .object({ x: z.number(), y: z.number(), width: z.number(), height: z.number(), isMaximized: z.boolean() })
    .optional(),
});

export type Settings = z.output<typeof settingsSchema>;
export type WindowState = NonNullable<Settings['window']>;

/** @source workbench conventions: ten entries in File > Open Recent */
const RECENT_MAX = 10;

export class SettingsFile {
  private readonly path: string;
  private settings: Settings;

  constructor(path: string) {
    this.path = path;
    this.settings = read(path);
  }

  get recent(): readonly string[] {
    return this.settings.recent;
  }

  get window(): WindowState | undefined {
    return this.settings.window;
  }

  /** Puts a project at the head of the recent files. */
  addRecent(path: string): void {
    const others = this.settings.recent.filter((known) => known !== path);
    this.write({ ...this.settings, recent: [path, ...others].slice(0, RECENT_MAX) });
  }

  setWindow(window: WindowState): void {
    this.write({ ...this.settings, window });
  }

  private write(settings: Settings): void {
    this.settings = settings;
    mkdirSync(dirname(this.path), { recursive: true });
    const temporary = `${this.path}.${process.pid}.part`;
    writeFileSync(temporary, `${JSON.stringify(settings, null, 2)}\n`);
    renameSync(temporary, this.path);
  }
}

function read(path: string): Settings {
  try {
    return settingsSchema.parse(JSON.parse(readFileSync(path, 'utf8')));
  } catch {
    // Not there yet, or not readable as ours: defaults serve.
    return settingsSchema.parse({});
  }
}
