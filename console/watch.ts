/** The screen that stays: looks once a second, runs what is typed. */
import type { Grafana } from './grafana.ts';
import type { Plugin } from './launch.ts';
import type { Model } from './model.ts';
import { carryOut } from './orders.ts';
import { parseOrder } from './prompt.ts';
import { coloured, draw, wrapped } from './screen.ts';
import { look } from './session.ts';
import { Terminal } from './terminal.ts';

const lookEveryMs = 1_000;
const messagesMax = 20;

/** Resolves with the exit code when the person quits or the plugin ends. */
export function watch(grafana: Grafana, plugin: Plugin): Promise<number> {
  return new Promise((resolve) => {
    const messages: string[] = ['set boiler.setpoint 55, read boiler.flow_temp, filter TEXT, health, help, quit'];
    let filter = '';
    let model: Model | undefined;
    let looking = false;
    let over = false;

    const say = (lines: readonly string[]) => {
      messages.push(...lines);
      messages.splice(0, messages.length - messagesMax);
      redraw();
    };
    const redraw = () => {
      if (!model) return terminal.show(messages.flatMap((text) => wrapped(text, terminal.size.width)));
      const points = model.points.filter(({ device, point }) => `${device}.${point}`.includes(filter));
      terminal.show(draw({ ...model, points, messages: [...model.messages, ...messages] }, terminal.size, coloured));
    };
    const refresh = async () => {
      // A slow answer is waited for, never overtaken.
      if (looking) return;
      looking = true;
      try {
        model = await look(grafana, plugin.startedInMs, []);
        redraw();
      } catch (error) {
        say([`the plugin does not answer: ${error instanceof Error ? error.message : String(error)}`]);
      } finally {
        looking = false;
      }
    };
    const end = (code: number, farewell?: string) => {
      if (over) return;
      over = true;
      clearInterval(timer);
      terminal.close();
      if (farewell) console.error(farewell);
      resolve(code);
    };
    const terminal = new Terminal((line) => {
      const order = parseOrder(line);
      if (order.kind === 'quit') return end(0);
      if (order.kind === 'filter') {
        filter = order.text;
        return redraw();
      }
      carryOut(grafana, order).then(
        ({ lines }) => {
          say(lines);
          void refresh();
        },
        (error: unknown) => say([error instanceof Error ? error.message : String(error)]),
      );
    });
    const timer = setInterval(() => void refresh(), lookEveryMs);
    // The terminal is given back in order, and the simulators and the plugin end with us.
    for (const signal of ['SIGTERM', 'SIGHUP'] as const) process.once(signal, () => end(0));
    void plugin.ended.then((why) => end(1, `the plugin ended: ${why}`));
    redraw();
    void refresh();
  });
}
