/** Progress of a run on stderr: a bar with the time to go on a terminal, now and then a plain line elsewhere. */
import type { RunSnapshot } from '../../core/experiment/run-port.ts';
import { formatCount, formatNs } from '../../core/units/format.ts';
import { etaMs } from '../runs/progress.ts';

const BAR_WIDTH = 24;

/** Between plain lines. @assume a log that can be read afterwards. */
const PLAIN_EVERY_MS = 2000;

export interface ProgressLine {
  show(label: string, snapshot: RunSnapshot, wallMs: number): void;
  /** Wipes the bar. */
  end(): void;
}

/** Progress that says nothing. */
const SILENT: ProgressLine = { show: () => undefined, end: () => undefined };

/** The progress line for a stream. */
export function progressLine(stream: NodeJS.WriteStream, isQuiet: boolean): ProgressLine {
  if (isQuiet) return SILENT;
  return stream.isTTY ? barOn(stream) : linesOn(stream);
}

function barOn(stream: NodeJS.WriteStream): ProgressLine {
  return {
    show: (label, snapshot, wallMs) => {
      const text = `${label}${bar(snapshot.fraction)} ${describe(snapshot, wallMs)}`;
      stream.write(`\r\u001b[2K${text.slice(0, Math.max(1, stream.columns - 1))}`);
    },
    end: () => {
      stream.write('\r\u001b[2K');
    },
  };
}

function linesOn(stream: NodeJS.WriteStream): ProgressLine {
  let shownMs = 0;
  return {
    show: (label, snapshot, wallMs) => {
      if (wallMs < shownMs) shownMs = 0;
      if (wallMs - shownMs < PLAIN_EVERY_MS) return;
      shownMs = wallMs;
      stream.write(`${label}${describe(snapshot, wallMs)}\n`);
    },
    end: () => undefined,
  };
}

function bar(fraction: number): string {
  if (!Number.isFinite(fraction)) return `[${' '.repeat(BAR_WIDTH)}]`;
  const full = Math.round(Math.min(1, fraction) * BAR_WIDTH);
  return `[${'#'.repeat(full)}${' '.repeat(BAR_WIDTH - full)}]`;
}

function describe(snapshot: RunSnapshot, wallMs: number): string {
  const { fraction } = snapshot;
  const isKnown = Number.isFinite(fraction);
  const percent = isKnown ? `${Math.floor(fraction * 100)} %` : '';
  const eta = etaMs(isKnown ? fraction : null, wallMs);
  return [
    percent,
    `${formatNs(snapshot.simNs)} simulated`,
    `${formatCount(snapshot.ios)} I/Os`,
    eta === null ? 'estimating' : `eta ${clock(eta)}`,
  ]
    .filter((part) => part !== '')
    .join('  ');
}

function clock(ms: number): string {
  const seconds = Math.ceil(ms / 1000);
  return `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, '0')}`;
}
