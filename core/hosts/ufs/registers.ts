/**
 * Registers of a UFS host controller as data: UFSHCI 2.1–4.0, single doorbell, crypto and multi-circular-queue parts. Offsets, bits and access kinds as the
 * specification has them; reset values that depend on the build (capabilities) come from `capabilityValues`.
 *
 * Modelled as in one UFSHCI 4.0 core: crypto configurations at 0x1000, queue configurations at 0x3000; the operation
 * registers of the queues stand at 0x4000, 0x40 apart (the specification leaves that to the offsets in the queue configuration).
 *
 * @source UFSHCI 4.0 chapter 5, facts through inline-crypto.md 3.1–3.6 and 3.11
 */
import { field as f, fieldMask, type RegisterDef, type RegisterField } from '../registers.ts';

// Offsets, as the specification spells them.
export const CAP = 0x00;
export const MCQCAP = 0x04;
export const VER = 0x08;
export const AHIT = 0x18;
export const IS = 0x20;
export const IE = 0x24;
export const HCS = 0x30;
export const HCE = 0x34;
export const UECPA = 0x38;
export const UECDL = 0x3c;
export const UECN = 0x40;
export const UECT = 0x44;
export const UECDME = 0x48;
export const UTRIACR = 0x4c;
export const UTRLBA = 0x50;
export const UTRLBAU = 0x54;
export const UTRLDBR = 0x58;
export const UTRLCLR = 0x5c;
export const UTRLRSR = 0x60;
export const UTRLCNR = 0x64;
export const UTMRLBA = 0x70;
export const UTMRLBAU = 0x74;
export const UTMRLDBR = 0x78;
export const UTMRLCLR = 0x7c;
export const UTMRLRSR = 0x80;
export const UICCMD = 0x90;
export const UCMDARG1 = 0x94;
export const UCMDARG2 = 0x98;
export const UCMDARG3 = 0x9c;
export const CCAP = 0x100;
export const CRYPTOCAP = 0x104;
export const CONFIG = 0x300;
export const MCQCONFIG = 0x380;
export const CRYPTOCFG = 0x1000;
export const CRYPTOCFG_BYTES = 0x80;
export const QCFG = 0x3000;
export const QCFG_STRIDE = 0x40;
export const QOP = 0x4000;
export const QOP_STRIDE = 0x40;

// Registers of one queue, relative to QCFG + q * QCFG_STRIDE …
export const SQATTR = 0x00;
export const SQLBA = 0x04;
export const SQUBA = 0x08;
export const SQDAO = 0x0c;
export const SQISAO = 0x10;
export const SQCFG = 0x14;
export const CQATTR = 0x20;
export const CQLBA = 0x24;
export const CQUBA = 0x28;
export const CQDAO = 0x2c;
export const CQISAO = 0x30;
export const CQCFG = 0x34;
// … and to QOP + q * QOP_STRIDE.
export const SQHP = 0x00;
export const SQTP = 0x04;
export const SQRTC = 0x08;
export const SQCTI = 0x0c;
export const SQRTS = 0x10;
export const SQIS = 0x18;
export const SQIE = 0x1c;
export const CQHP = 0x20;
export const CQTP = 0x24;
export const CQIS = 0x28;
export const CQIE = 0x2c;
export const CQIACR = 0x30;

// Bits of IS and IE.
export const IS_UTRCS = 1 << 0;
export const IS_UDEPRI = 1 << 1;
export const IS_UE = 1 << 2;
export const IS_UPMS = 1 << 4;
export const IS_UHXS = 1 << 5;
export const IS_UHES = 1 << 6;
export const IS_ULLS = 1 << 7;
export const IS_ULSS = 1 << 8;
export const IS_UTMRCS = 1 << 9;
export const IS_UCCS = 1 << 10;
export const IS_DFES = 1 << 11;
export const IS_UTPES = 1 << 12;
export const IS_HCFES = 1 << 16;
export const IS_SBFES = 1 << 17;
export const IS_CEFES = 1 << 18;
export const IS_SQES = 1 << 19;
export const IS_CQES = 1 << 20;
export const IS_IAGES = 1 << 21;
/** Bits after which the host must be reset. @source inline-crypto.md 3.3 */
export const IS_FATAL = IS_ULLS | IS_DFES | IS_UTPES | IS_HCFES | IS_SBFES | IS_CEFES;

export const HCS_DP = 1 << 0;
export const HCS_UTRLRDY = 1 << 1;
export const HCS_UTMRLRDY = 1 << 2;
export const HCS_UCRDY = 1 << 3;
/** UPMCRS = PWR_LOCAL, what a successful power mode change reports. */
export const UPMCRS_LOCAL = 1;
export const UPMCRS_FATAL = 5;

export const HCE_ENABLE = 1 << 0;
export const HCE_CGE = 1 << 1;

export const UTRIACR_COUNTER_SHIFT = 8;
export const UTRIACR_CTR = 1 << 16;
export const UTRIACR_IASB = 1 << 20;
export const UTRIACR_PWEN = 1 << 24;
export const UTRIACR_IAEN = (1 << 31) >>> 0;
/** Unit of the aggregation timeout. @source inline-crypto.md 3.1, UTRIACR */
export const AGGREGATION_UNIT_NS = 40_000;

export const CONFIG_QT = 1 << 0;
export const QUEUE_ENABLE = (1 << 31) >>> 0;
export const SQRTC_STOP = 1 << 0;
export const SQRTC_ICU = 1 << 1;
export const SQRTS_STS = 1 << 0;
export const SQRTS_CUS = 1 << 1;
export const CQIS_TEPS = 1 << 0;

const interruptFields = [
  f('IAGES', 21),
  f('CQES', 20),
  f('SQES', 19),
  f('CEFES', 18),
  f('SBFES', 17),
  f('HCFES', 16),
  f('UTPES', 12),
  f('DFES', 11),
  f('UCCS', 10),
  f('UTMRCS', 9),
  f('ULSS', 8),
  f('ULLS', 7),
  f('UHES', 6),
  f('UHXS', 5),
  f('UPMS', 4),
  f('UTMS', 3),
  f('UE', 2),
  f('UDEPRI', 1),
  f('UTRCS', 0),
];
/** Bits that exist in IS and IE. */
const INTERRUPT_BITS = 0x3f1fff;

const error = (name: string, offset: number, high: number, note: string): RegisterDef => ({
  name,
  offset,
  reset: 0,
  access: 'ro',
  fields: [f('ERR', 31), f('EC', high, 0)],
  note,
});

const capabilityRegisters: readonly RegisterDef[] = [
  {
    name: 'CAP',
    offset: CAP,
    reset: 0,
    access: 'ro',
    fields: [
      f('ESI', 31),
      f('MCQS', 30),
      f('LSDBS', 29, 29, { 0: 'single doorbell present', 1: 'single doorbell removed' }),
      f('CS', 28),
      f('UICDMETMS', 26),
      f('OODDS', 25),
      f('64AS', 24),
      f('AUTOH8', 23),
      f('EHSLUTRDS', 22),
      f('NUTMRS', 18, 16),
      f('NORTT', 15, 8),
      f('NUTRS', 4, 0),
    ],
    note: 'NUTRS, NORTT and NUTMRS are 0-based; in MCQ mode NUTRS is [7:0]',
  },
  {
    name: 'MCQCAP',
    offset: MCQCAP,
    reset: 0,
    access: 'ro',
    fields: [f('MIAG', 31, 24), f('QCFGPTR', 23, 16), f('EIS', 10), f('RRP', 9), f('SP', 8), f('MAXQ', 7, 0)],
  },
  { name: 'VER', offset: VER, reset: 0, access: 'ro', fields: [f('MJR', 15, 8), f('MNR', 7, 4), f('VS', 3, 0)] },
  { name: 'EXT_CAP', offset: 0x0c, reset: 0, access: 'ro', fields: [f('HHCS', 15, 0)] },
  { name: 'HCPID', offset: 0x10, reset: 0, access: 'ro', fields: [f('PID', 31, 0)] },
  { name: 'HCMID', offset: 0x14, reset: 0, access: 'ro', fields: [f('BI', 15, 8), f('MIC', 7, 0)] },
];

const operationRegisters: readonly RegisterDef[] = [
  {
    name: 'AHIT',
    offset: AHIT,
    reset: 0,
    access: 'rw',
    writable: 0x1fff,
    fields: [
      f('TS', 12, 10, { 0: '1 us', 1: '10 us', 2: '100 us', 3: '1 ms', 4: '10 ms', 5: '100 ms' }),
      f('AH8ITV', 9, 0),
    ],
  },
  { name: 'IS', offset: IS, reset: 0, access: 'w1c', writable: INTERRUPT_BITS, fields: interruptFields },
  { name: 'IE', offset: IE, reset: 0, access: 'rw', writable: INTERRUPT_BITS, fields: interruptFields },
  { name: 'HCSEXT', offset: 0x2c, reset: 0, access: 'ro', fields: [f('EXT_IID', 7, 4), f('IID', 3, 0)] },
  {
    name: 'HCS',
    offset: HCS,
    reset: 0,
    access: 'ro',
    fields: [
      f('TLUNUTPE', 31, 24),
      f('TTAGUTPE', 23, 16),
      f('UTPEC', 15, 12),
      f('UPMCRS', 10, 8, { 0: 'ok', 1: 'local', 2: 'remote', 3: 'busy', 4: 'capability error', 5: 'fatal' }),
      f('UCRDY', 3),
      f('UTMRLRDY', 2),
      f('UTRLRDY', 1),
      f('DP', 0),
    ],
  },
  {
    name: 'HCE',
    offset: HCE,
    reset: 0,
    access: 'rw',
    writable: HCE_ENABLE | HCE_CGE,
    fields: [f('CGE', 1), f('HCE', 0)],
    survives: ['hce-enable'],
  },
  error('UECPA', UECPA, 4, 'PHY adapter layer: [3:0] lane errors, [4] generic'),
  error(
    'UECDL',
    UECDL,
    15,
    'data link layer: [0] NAC, [1] TCx replay, [2] AFCx, [3] FCx, [5] RX overflow, [13] PA_INIT',
  ),
  error('UECN', UECN, 2, 'network layer'),
  error('UECT', UECT, 6, 'transport layer'),
  error('UECDME', UECDME, 3, 'device management entity'),
  {
    name: 'UTRIACR',
    offset: UTRIACR,
    reset: 0,
    access: 'rw',
    writable: 0x8100_1fff,
    fields: [f('IAEN', 31), f('IAPWEN', 24), f('IASB', 20), f('CTR', 16), f('IACTH', 12, 8), f('IATOVAL', 7, 0)],
    note: 'CTR clears itself; IACTH and IATOVAL change only together with IAPWEN',
  },
];

const listRegisters: readonly RegisterDef[] = [
  { name: 'UTRLBA', offset: UTRLBA, reset: 0, access: 'rw', writable: 0xfffffc00, fields: [f('UTRLBA', 31, 10)] },
  { name: 'UTRLBAU', offset: UTRLBAU, reset: 0, access: 'rw', fields: [f('UTRLBAU', 31, 0)] },
  { name: 'UTRLDBR', offset: UTRLDBR, reset: 0, access: 'w1s', fields: [f('UTRLDBR', 31, 0)] },
  { name: 'UTRLCLR', offset: UTRLCLR, reset: 0, access: 'wo', fields: [f('UTRLCLR', 31, 0)] },
  { name: 'UTRLRSR', offset: UTRLRSR, reset: 0, access: 'rw', writable: 1, fields: [f('UTRLRSR', 0)] },
  { name: 'UTRLCNR', offset: UTRLCNR, reset: 0, access: 'w1c', fields: [f('UTRLCNR', 31, 0)] },
  { name: 'UTMRLBA', offset: UTMRLBA, reset: 0, access: 'rw', writable: 0xfffffc00, fields: [f('UTMRLBA', 31, 10)] },
  { name: 'UTMRLBAU', offset: UTMRLBAU, reset: 0, access: 'rw', fields: [f('UTMRLBAU', 31, 0)] },
  { name: 'UTMRLDBR', offset: UTMRLDBR, reset: 0, access: 'w1s', writable: 0xff, fields: [f('UTMRLDBR', 7, 0)] },
  { name: 'UTMRLCLR', offset: UTMRLCLR, reset: 0, access: 'wo', fields: [f('UTMRLCLR', 7, 0)] },
  { name: 'UTMRLRSR', offset: UTMRLRSR, reset: 0, access: 'rw', writable: 1, fields: [f('UTMRLRSR', 0)] },
  {
    name: 'UICCMD',
    offset: UICCMD,
    reset: 0,
    access: 'rw',
    writable: 0xff,
    fields: [
      f('CMDOP', 7, 0, {
        0x01: 'DME_GET',
        0x02: 'DME_SET',
        0x03: 'DME_PEER_GET',
        0x04: 'DME_PEER_SET',
        0x10: 'DME_POWERON',
        0x11: 'DME_POWEROFF',
        0x12: 'DME_ENABLE',
        0x14: 'DME_RESET',
        0x15: 'DME_ENDPOINTRESET',
        0x16: 'DME_LINKSTARTUP',
        0x17: 'DME_HIBERNATE_ENTER',
        0x18: 'DME_HIBERNATE_EXIT',
      }),
    ],
  },
  {
    name: 'UCMDARG1',
    offset: UCMDARG1,
    reset: 0,
    access: 'rw',
    fields: [f('MIBattribute', 31, 16), f('GenSelectorIndex', 15, 0)],
  },
  {
    name: 'UCMDARG2',
    offset: UCMDARG2,
    reset: 0,
    access: 'rw',
    fields: [f('AttrSetType', 23, 16), f('ConfigResultCode', 7, 0)],
  },
  { name: 'UCMDARG3', offset: UCMDARG3, reset: 0, access: 'rw', fields: [f('MIBvalue', 31, 0)] },
];

const cryptoRegisters = (entries: number, slots: number): readonly RegisterDef[] => [
  {
    name: 'CCAP',
    offset: CCAP,
    reset: 0,
    access: 'ro',
    fields: [f('CFGPTR', 31, 24), f('CFGC', 15, 8), f('CC', 7, 0)],
  },
  {
    name: 'CRYPTOCAP',
    offset: CRYPTOCAP,
    reset: 0,
    access: 'ro',
    fields: [
      f('KS', 23, 16, { 1: '128', 2: '192', 3: '256', 4: '512' }),
      f('SDUSB', 15, 8),
      f('ALG', 7, 0, { 0: 'AES-XTS', 1: 'BitLocker AES-CBC', 2: 'AES-ECB', 3: 'ESSIV-AES-CBC' }),
    ],
    array: { count: Math.max(entries, 1), stride: 4 },
  },
  ...Array.from({ length: CRYPTOCFG_BYTES / 4 }, (_, dword) => configurationDword(dword, Math.max(slots, 1))),
];

/** Dwords of a configuration that hold the key; the one behind them says how it is used. */
export const KEY_DWORDS = 16;

const configurationFields = (dword: number): readonly RegisterField[] => {
  if (dword < KEY_DWORDS) return [f('KEY', 31, 0)];
  if (dword === 16) return [f('CFGE', 31), f('CAPIDX', 15, 8), f('DUSIZE', 7, 0)];
  return dword === 17 ? [f('VSB', 31, 16), f('MH', 7, 0)] : [];
};

/** One dword of the configurations of all slots: `CRYPTOCFG.16[3]` is dword 16 of slot 3. What a reset does to them is up to the crypto unit. */
const configurationDword = (dword: number, slots: number): RegisterDef => {
  const fields = configurationFields(dword);
  return {
    name: `CRYPTOCFG.${dword}`,
    offset: CRYPTOCFG + 4 * dword,
    reset: 0,
    access: 'wo',
    writable: fields.reduce((mask, field) => mask | fieldMask(field), 0) >>> 0,
    fields,
    array: { count: slots, stride: CRYPTOCFG_BYTES },
    survives: ['hce-enable', 'hce-disable'],
    secret: dword < KEY_DWORDS,
    note: 'key 0..15, configuration 16, vendor specific bits 17; keys cannot be read back',
  };
};

const queueRegister = (
  name: string,
  base: number,
  at: number,
  count: number,
  def: Partial<RegisterDef> = {},
): RegisterDef => ({
  name,
  offset: base + at,
  reset: 0,
  access: 'rw',
  fields: [f(name, 31, 0)],
  array: { count, stride: 0x40 },
  ...def,
});

const queueRegisters = (queues: number): readonly RegisterDef[] => [
  { name: 'CONFIG', offset: CONFIG, reset: 0, access: 'rw', writable: 3, fields: [f('ESIE', 1), f('QT', 0)] },
  {
    name: 'MCQCONFIG',
    offset: MCQCONFIG,
    reset: 0,
    access: 'rw',
    writable: 0x1ff03,
    fields: [f('MAC', 16, 8), f('AS', 1, 0)],
  },
  { name: 'ESILBA', offset: 0x384, reset: 0, access: 'rw', fields: [f('ESILBA', 31, 0)] },
  { name: 'ESIUBA', offset: 0x388, reset: 0, access: 'rw', fields: [f('ESIUBA', 31, 0)] },
  queueRegister('SQATTR', QCFG, SQATTR, queues, {
    fields: [f('SQEN', 31), f('SQPRIO', 30, 28), f('CQID', 23, 16), f('SIZE', 15, 0)],
  }),
  queueRegister('SQLBA', QCFG, SQLBA, queues),
  queueRegister('SQUBA', QCFG, SQUBA, queues),
  queueRegister('SQDAO', QCFG, SQDAO, queues),
  queueRegister('SQISAO', QCFG, SQISAO, queues),
  queueRegister('SQCFG', QCFG, SQCFG, queues),
  queueRegister('CQATTR', QCFG, CQATTR, queues, { fields: [f('CQEN', 31), f('SIZE', 15, 0)] }),
  queueRegister('CQLBA', QCFG, CQLBA, queues),
  queueRegister('CQUBA', QCFG, CQUBA, queues),
  queueRegister('CQDAO', QCFG, CQDAO, queues),
  queueRegister('CQISAO', QCFG, CQISAO, queues),
  queueRegister('CQCFG', QCFG, CQCFG, queues),
  queueRegister('SQHP', QOP, SQHP, queues, { access: 'ro' }),
  queueRegister('SQTP', QOP, SQTP, queues),
  queueRegister('SQRTC', QOP, SQRTC, queues, { writable: 3, fields: [f('ICU', 1), f('STOP', 0)] }),
  queueRegister('SQCTI', QOP, SQCTI, queues, { fields: [f('LUN', 23, 16), f('IID', 15, 8), f('TASKTAG', 7, 0)] }),
  queueRegister('SQRTS', QOP, SQRTS, queues, {
    access: 'ro',
    fields: [f('RTC', 7, 4, { 0: 'success', 1: 'failed' }), f('CUS', 1), f('STS', 0)],
  }),
  queueRegister('SQIS', QOP, SQIS, queues, { access: 'w1c' }),
  queueRegister('SQIE', QOP, SQIE, queues),
  queueRegister('CQHP', QOP, CQHP, queues),
  queueRegister('CQTP', QOP, CQTP, queues, { access: 'ro' }),
  queueRegister('CQIS', QOP, CQIS, queues, { access: 'w1c', writable: 1, fields: [f('TEPS', 0)] }),
  queueRegister('CQIE', QOP, CQIE, queues, { writable: 1, fields: [f('TEPE', 0)] }),
  queueRegister('CQIACR', QOP, CQIACR, queues, {
    fields: [f('IAEN', 31), f('IAPWEN', 24), f('CTR', 16), f('IACTH', 12, 8), f('IATOVAL', 7, 0)],
  }),
];

/** The register table of a controller with so many crypto capabilities, key slots and (MCQ) queues. */
export function ufshciRegisters(cryptoCaps: number, keyslots: number, queues: number): readonly RegisterDef[] {
  return [
    ...capabilityRegisters,
    ...operationRegisters,
    ...listRegisters,
    ...cryptoRegisters(cryptoCaps, keyslots),
    ...queueRegisters(Math.max(queues, 1)),
  ];
}
