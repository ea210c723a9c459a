/**
 * A heat map as a Chart.js plugin: one pixel per cell in an image, stretched over the chart area. The y axis must be logarithmic and the rows
 * equally spaced in its logarithm, the x axis linear, so that the stretching is exact.
 */
import type { Chart, Plugin } from 'chart.js';
import type { LatencyOverTime } from '../../core/contract/api.ts';
import { heatScale, heatStep } from './colors.ts';

/** The image of the cells, rows from the highest latency down. */
function paint(data: LatencyOverTime): HTMLCanvasElement {
  const canvas = document.createElement('canvas');
  canvas.width = data.columns;
  canvas.height = data.rows;
  const context = canvas.getContext('2d');
  if (context === null) return canvas;
  const image = context.createImageData(data.columns, data.rows);
  const max = data.counts.reduce((a, b) => Math.max(a, b), 0);
  const scale = heatScale();
  for (let y = 0; y < data.rows; y++) {
    for (let x = 0; x < data.columns; x++) {
      const step = heatStep(data.counts[y * data.columns + x], max);
      if (step < 0) continue;
      const [r, g, b] = scale[step];
      image.data.set([r, g, b, 255], ((data.rows - 1 - y) * data.columns + x) * 4);
    }
  }
  context.putImageData(image, 0, 0);
  return canvas;
}

/** The plugin for one set of data; make a new one when data or theme change. */
export function heatMapPlugin(data: LatencyOverTime): Plugin<'line'> {
  const image = paint(data);
  return {
    id: 'heatMap',
    beforeDatasetsDraw: (chart: Chart) => {
      const { ctx, scales } = chart;
      const x = scales['x'];
      const y = scales['y'];
      const left = x.getPixelForValue(data.fromNs);
      const right = x.getPixelForValue(data.toNs);
      const top = y.getPixelForValue(data.edgesNs[data.rows]);
      const bottom = y.getPixelForValue(data.edgesNs[0]);
      ctx.save();
      ctx.imageSmoothingEnabled = false;
      ctx.drawImage(image, left, top, right - left, bottom - top);
      ctx.restore();
    },
  };
}
