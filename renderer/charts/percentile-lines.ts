/** Upright lines at percentiles, named where they stand: direct labels instead of a legend. A Chart.js plugin. */
import type { Chart, Plugin } from 'chart.js';
import type { Percentile } from '../stores/results.ts';
import { tokenColor } from './colors.ts';

const LABEL_FONT = '11px system-ui, sans-serif';
const LABEL_GAP_PX = 4;
const LABEL_LINE_PX = 13;

export function percentileLines(percentiles: readonly Percentile[]): Plugin<'line'> {
  const shown = percentiles.filter(({ ns }) => ns !== null);
  const [line, text, ground] = [tokenColor('chart-line'), tokenColor('text'), tokenColor('bg')];
  return {
    id: 'percentileLines',
    afterDatasetsDraw: ({ ctx, scales, chartArea }: Chart) => {
      ctx.save();
      ctx.font = LABEL_FONT;
      ctx.lineWidth = 1;
      shown.forEach(({ percent, ns }, i) => {
        const x = Math.round(scales['x'].getPixelForValue(ns ?? 0)) + 0.5;
        ctx.strokeStyle = line;
        ctx.setLineDash([4, 3]);
        ctx.beginPath();
        ctx.moveTo(x, chartArea.top);
        ctx.lineTo(x, chartArea.bottom);
        ctx.stroke();
        const label = `p${percent}`;
        const width = ctx.measureText(label).width;
        const isLeft = x + width + LABEL_GAP_PX > chartArea.right;
        const left = isLeft ? x - width - LABEL_GAP_PX : x + LABEL_GAP_PX;
        const top = chartArea.top + i * LABEL_LINE_PX;
        ctx.fillStyle = ground;
        ctx.fillRect(left - 1, top, width + 2, LABEL_LINE_PX);
        ctx.fillStyle = text;
        ctx.fillText(label, left, top + LABEL_LINE_PX - 3);
      });
      ctx.restore();
    },
  };
}
