import { describe, expect, test } from 'vitest';
import type { RunSummary } from '../../core/contract/summary.ts';
import { problemLine } from './problems.ts';
import { progressLine } from './progress-line.ts';
import { summaryText } from './summary-text.ts';

const latNs = {
  min: 1,
  mean: 2000,
  max: 9e6,
  stddev: 1,
  p50: 1500,
  p90: 3e3,
  p95: 4e3,
  p99: 5e3,
  p99_9: null,
  p99_99: null,
};

/** To the start of the line, and wipe it. */
const WIPE = '\r\u001b[2K';

const summary: RunSummary = {
  run: {
    id: null,
    name: 'test',
    seed: 3,
    status: 'done',
    simNs: 2e9,
    wallMs: 1500,
    events: 10,
    ios: 1000,
    requests: 900,
    traceHash: 'abc',
  },
  jobs: { app: { read: { ios: 1000, bytes: 4096e3, iops: 500, bwBytes: 2 * 1024 ** 2, latNs } } },
  stages: {
    media: { meanNs: 1500, share: 0.75, p99Ns: 4000 },
    'wait.tag': { meanNs: 500, share: 0.2499, p99Ns: null },
    link: { meanNs: 1, share: 0.0001, p99Ns: null },
    inline: { meanNs: 0, share: 0, p99Ns: null },
  },
  keyslots: { slots: 0, programs: 0, hits: 0, evictions: 0, waits: 0, waitNs: 0 },
  block: { bios: 1000, requests: 900, merges: 100, splits: 0, requeues: 0, tagWaits: 7, flushes: 0 },
  cpu: { busyShare: [0.5, 0], contextSwitches: 0, interrupts: 4, softirqs: 0, wakeups: 0 },
  device: { commands: 900 },
  crypto: {},
  dm: {},
  deadlock: null,
  violations: [],
};

describe('the inline encryption of the device', () => {
  test('is told as sysfs has it, when jobs encrypt', () => {
    const cryptoSysfs = {
      max_dun_bits: '64',
      num_keyslots: '32',
      'modes/AES-256-XTS': '0x1200',
      raw_keys: 'supported',
    };
    expect(summaryText({ ...summary, cryptoSysfs })).toContain(
      'Inline encryption of the device (/sys/block/…/queue/crypto)\n  max_dun_bits 64, num_keyslots 32, modes/AES-256-XTS 0x1200, raw_keys supported\n',
    );
    expect(summaryText(summary)).not.toContain('Inline encryption');
  });
});

describe('the summary as text', () => {
  const text = summaryText(summary);

  test('has a line per job and direction; a percentile with too few samples is a dash', () => {
    expect(text).toMatch(/app +read +1 k +500 +2 MiB\/s +2 us +1\.500 us +3 us +5 us +– +9 ms/);
  });

  test('shows stages by share, the largest first, with a bar as long as its share; small ones in one line, absent ones not', () => {
    const lines = text.split('\n');
    const media = lines.find((line) => line.includes('media')) ?? '';
    const wait = lines.find((line) => line.includes('wait.tag')) ?? '';
    expect(lines.indexOf(media)).toBeLessThan(lines.indexOf(wait));
    expect(media.split('█').length).toBeGreaterThan(2.5 * wait.split('█').length);
    expect(text).toMatch(/less than .*: link$/m);
    expect(text).not.toContain('inline');
  });

  test('names the counters that are not zero', () => {
    expect(text).toMatch(/block +bios 1 k, requests 900, merges 100, tag waits 7$/m);
    expect(text).toMatch(/cpu +busy 50 % 0 %, interrupts 4$/m);
  });

  test('says a deadlock with its chain, and violated laws', () => {
    const bad = summaryText({
      ...summary,
      run: { ...summary.run, status: 'deadlock' },
      deadlock: { chain: ['bio 7 waits for a tag'], lastEvents: ['at 3: dispatch'] },
      violations: ['law 5: slept in hardirq'],
    });
    expect(bad).toMatch(/DEADLOCK/);
    expect(bad).toMatch(/bio 7 waits for a tag\n.*Last events\n.*at 3: dispatch/);
    expect(bad).toMatch(/law 5/);
  });

  test('says which faults struck and how many I/Os failed, and nothing of it otherwise', () => {
    const read = { ...summary.jobs.app.read, errors: { EIO: 3, ENODATA: 1 } };
    const faulty = summaryText({
      ...summary,
      jobs: { app: { read } as RunSummary['jobs'][string] },
      faults: {
        injected: [
          { fault: 'host-reset', atNs: 40e6, count: 1 },
          { fault: 'uic-error', atNs: 5e6, count: 3 },
          { fault: 'keys-lost', atNs: null, count: 0 },
        ],
      },
    });
    expect(faulty).toMatch(/I\/Os that failed\n {2}app read: EIO 3, ENODATA 1\n/);
    expect(faulty).toMatch(
      /Faults\n {2}host-reset +once +at 40 ms\n {2}uic-error +3 times +first at 5 ms\n {2}keys-lost +never struck\n/,
    );
    expect(text).not.toMatch(/Faults|failed/);
  });

  test('says which jobs ended early, and nothing of it otherwise', () => {
    const early = summaryText({ ...summary, warnings: ['a.0 ended early: I/O 7 failed: EIO'] });
    expect(early).toMatch(/Warnings\n {2}a\.0 ended early: I\/O 7 failed: EIO\n$/);
    expect(text).not.toContain('Warnings');
  });
});

describe('a problem', () => {
  const problem = {
    severity: 'error',
    path: '/queue/scheduler',
    code: 'x',
    message: 'must be\n  one of',
    hint: 'none',
  } as const;

  test('is one line, with the pointer, or with file and line of a job file', () => {
    expect(problemLine('e.json', problem)).toBe('e.json: /queue/scheduler: error: must be one of (none)');
    expect(problemLine('e.json', { ...problem, path: '/workload/fioFile', line: 7, file: 'a.fio' })).toBe(
      'a.fio:7: error: must be one of (none)',
    );
    expect(problemLine('e.json', { ...problem, path: '/workload/fio', line: 7 })).toBe(
      'e.json: /workload/fio, line 7: error: must be one of (none)',
    );
  });
});

describe('progress', () => {
  const snapshot = { simNs: 1e6, fraction: 0.5, events: 1, ios: 2000, requests: 1, inFlight: 1, p50Ns: 1, p99Ns: 1 };

  function stream(isTTY: boolean) {
    const written: string[] = [];
    const fake = { isTTY, columns: 60, write: (text: string) => written.push(text) };
    return { written, stream: fake as unknown as NodeJS.WriteStream };
  }

  test('on a terminal is one line that is written over, with a bar and the time to go, never wider than the terminal', () => {
    const { written, stream: tty } = stream(true);
    progressLine(tty, false).show('', snapshot, 65_000);
    expect(written[0].startsWith(`${WIPE}[############            ] 50 %`)).toBe(true);
    expect(written[0].length).toBeLessThan(60 + WIPE.length);
    const wide = stream(true);
    Object.assign(wide.stream, { columns: 200 });
    progressLine(wide.stream, false).show('', snapshot, 65_000);
    expect(wide.written[0]).toMatch(/2 k I\/Os {2}eta 1:05$/);
  });

  test('elsewhere is a plain line now and then', () => {
    const { written, stream: pipe } = stream(false);
    const line = progressLine(pipe, false);
    for (let ms = 100; ms <= 4200; ms += 100) line.show('', snapshot, ms);
    line.end();
    expect(written).toHaveLength(2);
    expect(written[0]).toMatch(/^50 % {2}1 ms simulated.*\n$/);
  });

  test('is silent when it was asked to be', () => {
    const { written, stream: tty } = stream(true);
    const line = progressLine(tty, true);
    line.show('', snapshot, 5000);
    line.end();
    expect(written).toEqual([]);
  });
});
