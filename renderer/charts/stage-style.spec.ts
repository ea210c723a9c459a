import { describe, expect, it } from 'vitest';
import { isWaiting, STAGE_IDS } from '../../core/trace/stages.ts';
import en from '../locales/en.json';
import { PATH_ORDER, stageStyle } from './stage-style.ts';

describe('stages', () => {
  it.each(STAGE_IDS)(
    '%s has a name, a place in the path, and is hatched or dotted grey exactly when it is waiting',
    (stage) => {
      const { family, pattern } = stageStyle(stage);
      expect(Object.keys(en)).toContain(`stage.${stage}`);
      expect(PATH_ORDER).toContain(stage);
      expect(family === 'wait').toBe(isWaiting(stage));
      if (isWaiting(stage)) expect(pattern).not.toBe('solid');
    },
  );

  it('keep the fixed colours of their families', () => {
    expect(stageStyle('keyslot.program')).toMatchObject({ family: 'keyslot', pattern: 'solid' });
    expect(stageStyle('wait.keyslot')).toEqual({ family: 'wait', pattern: 'back-hatch', edge: 'keyslot' });
    expect(stageStyle('dm.verity.fec')).toMatchObject({ family: 'dm', pattern: 'dots' });
    expect(stageStyle('media')).toMatchObject({ family: 'media', pattern: 'solid' });
    expect(stageStyle('wait.dispatch').pattern).toBe('wait-dots');
  });
});
