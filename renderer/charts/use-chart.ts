/** A Chart.js chart on a canvas: made when the element is there, made anew when its configuration changes, gone with the component. */
import {
  Chart,
  Filler,
  LinearScale,
  LineController,
  LineElement,
  LogarithmicScale,
  PointElement,
  Tooltip,
  type ChartConfiguration,
  type Scale,
  type TooltipOptions,
} from 'chart.js';
import { onBeforeUnmount, watch, type Ref } from 'vue';
import { tokenColor } from './colors.ts';

Chart.register(Filler, LinearScale, LineController, LineElement, LogarithmicScale, PointElement, Tooltip);

export type LineConfiguration = ChartConfiguration<'line', { x: number; y: number }[]>;

/** Draws what `configure` says; it is asked again when anything it reads changes. */
export function useChart(canvas: Ref<HTMLCanvasElement | null>, configure: () => LineConfiguration | null): void {
  let chart: Chart<'line', { x: number; y: number }[]> | undefined;
  const stop = watch(
    [canvas, configure],
    ([element, configuration]) => {
      chart?.destroy();
      chart = element === null || configuration === null ? undefined : new Chart(element, configuration);
    },
    { flush: 'post', immediate: true },
  );
  onBeforeUnmount(() => {
    stop();
    chart?.destroy();
  });
}

/** Look of an axis: thin grid, dim labels, a title with the unit. */
export function axisStyle(title: string) {
  const dim = tokenColor('text-dim');
  return {
    title: { display: true, text: title, color: dim, font: { size: 11 } },
    ticks: { color: dim, font: { size: 11 }, maxRotation: 0, autoSkipPadding: 12 },
    grid: { color: tokenColor('line'), lineWidth: 1 },
    border: { color: tokenColor('line-strong') },
  } as const;
}

/** Look of the box at the pointer. */
export function tooltipStyle(): Partial<TooltipOptions<'line'>> {
  return {
    backgroundColor: tokenColor('raised'),
    borderColor: tokenColor('line-strong'),
    borderWidth: 1,
    cornerRadius: 4,
    titleColor: tokenColor('text'),
    bodyColor: tokenColor('text'),
    displayColors: false,
  };
}

/** Only round ticks of a logarithmic axis. For `afterBuildTicks`. */
export function keepRoundTicks(axis: Scale): void {
  axis.ticks = axis.ticks.filter(({ value }) => isRoundTick(value));
}

/** `2.500 k` → `2.5 k`: the steps of an axis are round. */
export function tickText(text: string): string {
  return text.replace(/(\.\d*?)0+(?= )/, '$1').replace('. ', ' ');
}

/** On a logarithmic axis only 1, 2 and 5 times a power of ten are labelled. */
export function isRoundTick(value: number): boolean {
  const mantissa = value / 10 ** Math.floor(Math.log10(value) + 1e-9);
  return [1, 2, 5].some((round) => Math.abs(mantissa - round) < 1e-6);
}
