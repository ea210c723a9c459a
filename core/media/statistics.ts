/** The named counters of a flash device, for the `device` part of a run's summary. Bytes are user data unless a name says otherwise. */
import type { FlashMedia } from './flash-media.ts';
import { UNIT_BYTES } from './geometry.ts';

/** Counters so far. `writeAmplification` is 0 while nothing was written. */
export function mediaStatistics(media: FlashMedia): Readonly<Record<string, number>> {
  const { reader, writer, collector, ftl, dies, geometry } = media;
  const padded = writer.paddedUnits + collector.paddedUnits;
  const copied = collector.collectedUnits + collector.migratedUnits;
  let maxErases = 0;
  for (const n of ftl.blocks.erases) if (n > maxErases) maxErases = n;
  return {
    readCommands: reader.commands,
    readBytes: reader.units * UNIT_BYTES,
    bufferHitBytes: reader.unitsFromMemory * UNIT_BYTES,
    mapMisses: reader.mapCache.misses,
    prefetchedRows: reader.readAhead.prefetchedRows,
    flashReads: reader.flashReads + collector.copyReads,
    writeCommands: writer.commands,
    writtenBytes: writer.units * UNIT_BYTES,
    programs: writer.programs + collector.copyPrograms,
    programmedBytes: (writer.units + copied + padded) * UNIT_BYTES,
    paddedBytes: padded * UNIT_BYTES,
    collectedBytes: collector.collectedUnits * UNIT_BYTES,
    migratedBytes: collector.migratedUnits * UNIT_BYTES,
    writeAmplification: writer.units === 0 ? 0 : (writer.units + copied + padded) / writer.units,
    erases: ftl.blocks.totalErases,
    maxErases,
    foregroundCollections: collector.foregroundBlocks,
    backgroundCollections: collector.backgroundBlocks,
    suspends: dies.suspends,
    flushes: media.flushes,
    discards: media.discards,
    slcSizeBytes: geometry.slcBlocksPerDie * geometry.dies * geometry.slcUnitsPerBlock * UNIT_BYTES,
    slcFreeBytes: media.hostBlocks.slcFreeBytes,
    bufferPeakBytes: writer.peakBytes,
    bufferBytes: media.bufferBytes,
    mapMemoryBytes: ftl.map.pageBytes + ftl.blocks.mapBytes,
  };
}
