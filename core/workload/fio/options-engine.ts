/**
 * The ioengines of fio 3.33: which of them are emulated, and the options that only some of them know.
 *
 * Emulated engines differ in how they submit and reap (and hence in CPU time, batching and context switches); engines for
 * networks, object stores, persistent memory or file-system calls have no counterpart and are refused.
 *
 * @source fio 3.33 `fio --enghelp` and `fio --enghelp=ENGINE,OPTION`
 */
import type { OptionSpec } from './options.ts';

export interface EngineSpec {
  /** Whether the engine keeps more than one I/O in flight; the others cap iodepth at 1. */
  readonly isAsync: boolean;
  /** Set when the emulation comes close but leaves something out. */
  readonly note?: string;
}

/** Engines that jobs can run on. */
export const EMULATED_ENGINES: Readonly<Record<string, EngineSpec>> = {
  sync: { isAsync: false },
  psync: { isAsync: false },
  vsync: { isAsync: false, note: 'neighbouring I/Os are not joined into one vector' },
  pvsync: { isAsync: false },
  pvsync2: { isAsync: false },
  libaio: { isAsync: true },
  io_uring: { isAsync: true },
  posixaio: { isAsync: true, note: 'runs as libaio: the threads of the C library are not emulated' },
  mmap: { isAsync: false, note: 'runs as psync: page faults are not emulated' },
  sg: { isAsync: false, note: 'runs as psync: the SCSI generic path is not emulated' },
  null: { isAsync: true },
};

/** Engines that fio knows and the emulation does not. */
export const OTHER_ENGINES: readonly string[] = [
  'cpuio',
  'dev-dax',
  'dfs',
  'e4defrag',
  'exec',
  'external',
  'falloc',
  'filecreate',
  'filedelete',
  'filestat',
  'ftruncate',
  'gfapi',
  'gfapi_async',
  'http',
  'ime_aio',
  'ime_psync',
  'ime_psyncv',
  'io_uring_cmd',
  'libcufile',
  'libhdfs',
  'libiscsi',
  'libpmem',
  'librpma_apm',
  'librpma_gpspm',
  'libzbc',
  'mtd',
  'nbd',
  'net',
  'netsplice',
  'nfs',
  'pmemblk',
  'rados',
  'rbd',
  'rdma',
  'solarisaio',
  'splice',
  'windowsaio',
  'xnvme',
];

const AIO = ['libaio', 'io_uring', 'io_uring_cmd'];
const URING = ['io_uring', 'io_uring_cmd'];
const NET = ['net', 'netsplice'];
const CEPH = ['rados', 'rbd'];
const GLUSTER = ['gfapi', 'gfapi_async'];

const COST = 'a variant of the submission path that the cost table does not tell apart';
const NOWAIT = 'the emulated submitter always may wait';
const ELSEWHERE = 'its ioengine is not emulated';

export const ENGINE_OPTIONS: readonly OptionSpec[] = [
  { name: 'hipri', type: 'flag', engines: [...URING, 'pvsync2', 'sg'] },
  { name: 'cmdprio_percentage', type: 'int32', slots: 2, max: 100, engines: AIO },
  { name: 'cmdprio_class', type: 'int32', slots: 2, min: 1, max: 3, engines: AIO },
  { name: 'cmdprio', type: 'int32', slots: 2, max: 7, engines: AIO },
  { name: 'cmdprio_bssplit', type: 'cmdprioSplit', engines: AIO },

  { name: 'userspace_reap', type: 'flag', engines: ['libaio'], effect: 'ignore', note: COST },
  { name: 'nowait', type: 'bool', engines: [...AIO, 'pvsync2'], effect: 'ignore', note: NOWAIT },
  { name: 'fixedbufs', type: 'flag', engines: URING, effect: 'ignore', note: COST },
  { name: 'registerfiles', type: 'flag', engines: URING, effect: 'ignore', note: COST },
  { name: 'sqthread_poll', type: 'flag', engines: URING, effect: 'ignore', note: COST },
  { name: 'sqthread_poll_cpu', type: 'int32', engines: URING, effect: 'ignore', note: COST },
  { name: 'nonvectored', type: 'int32', min: -1, engines: URING, effect: 'ignore', note: COST },
  { name: 'uncached', type: 'int32', engines: [...URING, 'pvsync2'], effect: 'ignore', note: 'there is no page cache' },
  { name: 'force_async', type: 'int32', engines: URING, effect: 'ignore', note: COST },
  { name: 'cmd_type', type: 'word', words: ['nvme'], engines: URING, effect: 'ignore', note: ELSEWHERE },
  {
    name: 'hipri_percentage',
    type: 'int32',
    max: 100,
    engines: ['pvsync2'],
    effect: 'ignore',
    note: 'hipri polls for every I/O',
  },
  { name: 'thp', type: 'int32', engines: ['mmap'], effect: 'ignore', note: 'page faults are not emulated' },
  { name: 'readfua', type: 'bool', engines: ['sg'], effect: 'ignore', note: 'the SCSI generic path is not emulated' },
  { name: 'writefua', type: 'bool', engines: ['sg'], effect: 'ignore', note: 'the SCSI generic path is not emulated' },
  {
    name: 'sg_write_mode',
    type: 'word',
    words: [
      'write',
      'write_and_verify',
      'verify',
      'write_same',
      'same',
      'write_same_ndob',
      'verify_bytchk_00',
      'verify_bytchk_01',
      'verify_bytchk_11',
      'write_stream',
    ],
    engines: ['sg'],
    effect: 'ignore',
    note: 'the SCSI generic path is not emulated',
  },
  {
    name: 'stream_id',
    type: 'int32',
    engines: ['sg'],
    effect: 'ignore',
    note: 'the SCSI generic path is not emulated',
  },

  { name: 'hostname', type: 'text', engines: [...NET, 'rdma'], effect: 'ignore', note: ELSEWHERE },
  { name: 'port', type: 'int32', min: 1, max: 65535, engines: [...NET, 'rdma'], effect: 'ignore', note: ELSEWHERE },
  {
    name: 'protocol',
    alias: 'proto',
    type: 'word',
    words: ['tcp', 'tcpv6', 'udp', 'udpv6', 'unix'],
    engines: NET,
    effect: 'ignore',
    note: ELSEWHERE,
  },
  { name: 'nodelay', type: 'bool', engines: NET, effect: 'ignore', note: ELSEWHERE },
  { name: 'listen', type: 'flag', engines: NET, effect: 'ignore', note: ELSEWHERE },
  { name: 'pingpong', type: 'flag', engines: NET, effect: 'ignore', note: ELSEWHERE },
  { name: 'interface', type: 'text', engines: NET, effect: 'ignore', note: ELSEWHERE },
  { name: 'ttl', type: 'int32', engines: NET, effect: 'ignore', note: ELSEWHERE },
  { name: 'window_size', type: 'int32', engines: NET, effect: 'ignore', note: ELSEWHERE },
  { name: 'mss', type: 'int32', engines: NET, effect: 'ignore', note: ELSEWHERE },
  { name: 'cpuload', type: 'int32', engines: ['cpuio'], effect: 'ignore', note: ELSEWHERE },
  { name: 'cpuchunks', type: 'int32', unit: 'us', engines: ['cpuio'], effect: 'ignore', note: ELSEWHERE },
  { name: 'cpumode', type: 'word', words: ['noop', 'qsort'], engines: ['cpuio'], effect: 'ignore', note: ELSEWHERE },
  { name: 'exit_on_io_done', type: 'bool', engines: ['cpuio'], effect: 'ignore', note: ELSEWHERE },
  { name: 'bindname', type: 'text', engines: ['rdma'], effect: 'ignore', note: ELSEWHERE },
  {
    name: 'verb',
    alias: 'proto',
    type: 'word',
    words: ['write', 'read', 'send', 'recv'],
    engines: ['rdma'],
    effect: 'ignore',
    note: ELSEWHERE,
  },
  { name: 'clustername', type: 'text', engines: CEPH, effect: 'ignore', note: ELSEWHERE },
  { name: 'pool', type: 'text', engines: CEPH, effect: 'ignore', note: ELSEWHERE },
  { name: 'clientname', type: 'text', engines: CEPH, effect: 'ignore', note: ELSEWHERE },
  { name: 'busy_poll', type: 'bool', engines: CEPH, effect: 'ignore', note: ELSEWHERE },
  { name: 'rbdname', type: 'text', engines: ['rbd'], effect: 'ignore', note: ELSEWHERE },
  { name: 'conf', type: 'text', engines: ['rados'], effect: 'ignore', note: ELSEWHERE },
  { name: 'touch_objects', type: 'bool', engines: ['rados'], effect: 'ignore', note: ELSEWHERE },
  { name: 'volume', type: 'text', engines: GLUSTER, effect: 'ignore', note: ELSEWHERE },
  { name: 'brick', type: 'text', engines: GLUSTER, effect: 'ignore', note: ELSEWHERE },
  { name: 'single-instance', type: 'bool', engines: GLUSTER, effect: 'ignore', note: ELSEWHERE },
  {
    name: 'stat_type',
    type: 'word',
    words: ['stat', 'lstat', 'statx'],
    engines: ['filestat'],
    effect: 'ignore',
    note: ELSEWHERE,
  },
  { name: 'program', type: 'text', engines: ['exec'], effect: 'ignore', note: ELSEWHERE },
  { name: 'arguments', type: 'text', engines: ['exec'], effect: 'ignore', note: ELSEWHERE },
  { name: 'grace_time', type: 'int32', engines: ['exec'], effect: 'ignore', note: ELSEWHERE },
  { name: 'std_redirect', type: 'bool', engines: ['exec'], effect: 'ignore', note: ELSEWHERE },
  { name: 'donorname', type: 'text', engines: ['e4defrag'], effect: 'ignore', note: ELSEWHERE },
  { name: 'inplace', type: 'int32', max: 1, engines: ['e4defrag'], effect: 'ignore', note: ELSEWHERE },
  { name: 'skip_bad', type: 'bool', engines: ['mtd'], effect: 'ignore', note: ELSEWHERE },
  { name: 'uri', type: 'text', engines: ['nbd'], effect: 'ignore', note: ELSEWHERE },
];
