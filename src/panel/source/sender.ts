/**
 * Sends the commands of one control, one after the other, and follows each to its end. What it says is what the data source said: a wish that was not
 * answered for yet is told as one. Every command has an idempotency key, so asking again after a lost answer cannot do it twice.
 */
import { limitsPanel } from '../../contract/limits-panel.ts';
import { texts } from '../view/texts.ts';
import type { Command, Problem, Question, Scalar } from './answers.ts';
import { ask, newKey, pathOf, Refused, sleep, Unanswered } from './resources.ts';

/** A command as a person wants it. */
export interface Wish {
  device: string;
  name: string;
  target: 'point' | 'command';
  /** Of a point. */
  value?: Exclude<Scalar, null>;
  /** Of a named command. */
  parameters?: Record<string, unknown>;
  reason?: string;
  /** Only the start of something: its end follows as soon as this one was taken. */
  held?: boolean;
}

const noWait = '0s';

interface Order {
  wish: Wish;
  key: string;
}

export type Progress =
  | { at: 'idle' }
  /** On its way; `attempt` from 0. */
  | { at: 'sending'; order: Order; attempt: number }
  /** The data source asks whether it is really meant. */
  | { at: 'asked'; order: Order; question: Question }
  | { at: 'running'; order: Order; command: Command }
  | { at: 'ended'; order: Order; command: Command }
  | { at: 'refused'; order: Order; problem: Problem }
  /** No answer: whether it was done is not known. */
  | { at: 'lost'; order: Order; why: string };

export interface SenderDeps {
  source: string;
  /** Whether records of commands may be read. */
  mayRead(): boolean;
  /** A command was taken or has ended. */
  changed(): void;
}

export class Sender {
  readonly #deps: SenderDeps;
  readonly #listeners = new Set<() => void>();
  readonly #closing = new AbortController();
  #following = new AbortController();
  #progress: Progress = { at: 'idle' };
  /** The end of what is held, while its start is on its way. */
  #next: Wish | undefined;

  constructor(deps: SenderDeps) {
    this.#deps = deps;
  }

  readonly snapshot = (): Progress => this.#progress;

  readonly subscribe = (listener: () => void): (() => void) => {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  };

  /** One is on its way, asked about or running. */
  get busy(): boolean {
    return isBusy(this.#progress);
  }

  /** Does nothing while one is under way: a double click is one command. */
  send(wish: Wish): void {
    if (this.busy || this.#closing.signal.aborted) return;
    this.#begin({ wish, key: newKey() });
  }

  /** The end of a wish that is `held`: goes as soon as that one was taken, for the data source keeps their order. */
  sendAfter(wish: Wish): void {
    const { at } = this.#progress;
    if (at === 'sending') this.#next = wish;
    else if (at !== 'asked') this.#begin({ wish, key: newKey() });
  }

  /** The answer to a question: `true` sends it with the nonce, `false` drops it. */
  answer(yes: boolean, reason?: string): void {
    if (this.#progress.at !== 'asked') return;
    const { order, question } = this.#progress;
    if (!yes) {
      this.#next = undefined;
      this.#set({ at: 'idle' });
      return;
    }
    // A question that is too old would only be asked again; without a nonce it is, with the reading of now.
    const confirm = question.expires > Date.now() ? question.nonce : undefined;
    this.#begin(reason === undefined ? order : { ...order, wish: { ...order.wish, reason } }, confirm);
  }

  /** The same command under the same key. */
  again(): void {
    if (this.#progress.at === 'lost') this.#begin(this.#progress.order);
  }

  /** Takes a command that waits out of the queue. */
  async cancel(): Promise<void> {
    if (this.#progress.at !== 'running') return;
    try {
      await ask(this.#deps.source, 'DELETE', pathOf('commands', this.#progress.command.id), { signal: this.#closing.signal });
    } catch {
      // It was sent in the last moment, or its end is told by whoever follows it.
    }
  }

  /** What was sent goes on without us; what began by holding a button must not be left held. */
  close(): void {
    const next = this.#next;
    this.#closing.abort(new Error('the control is gone'));
    if (next) this.#post({ wish: next, key: newKey() }, undefined, noWait, new AbortController().signal).catch(() => undefined);
  }

  #begin(order: Order, confirm?: string): void {
    this.#following.abort(new Error('another command follows'));
    this.#following = new AbortController();
    const signal = AbortSignal.any([this.#closing.signal, this.#following.signal]);
    this.#set({ at: 'sending', order, attempt: 0 });
    this.#run(order, confirm, signal)
      .catch((error: Error) => {
        if (!signal.aborted) this.#set(endOf(order, error));
      })
      .finally(() => {
        if (signal.aborted) return;
        const next = this.#next;
        this.#next = undefined;
        if (next && this.#progress.at !== 'asked') this.#begin({ wish: next, key: newKey() });
        else if (!this.busy) this.#deps.changed();
      })
      .catch(() => undefined);
  }

  async #run(order: Order, confirm: string | undefined, signal: AbortSignal): Promise<void> {
    let command = await this.#post(order, confirm, order.wish.held ? noWait : limitsPanel.firstWait, signal);
    const endMs = performance.now() + limitsPanel.followMs;
    while (command.times.ended === undefined) {
      if (performance.now() > endMs) throw new Unanswered(texts.still(command.state));
      this.#set({ at: 'running', order, command });
      if (this.#next) return;
      command = await this.#look(order, command, signal);
    }
    this.#set({ at: 'ended', order, command });
  }

  /** Sends it, again if there was no answer. Resolves with the record, however it ended. */
  async #post({ wish, key }: Order, confirm: string | undefined, wait: string, signal: AbortSignal): Promise<Command> {
    const { device, name, target, value, parameters, reason } = wish;
    const path = pathOf('devices', device, target === 'point' ? 'points' : 'commands', name);
    const what = target === 'point' ? { value } : { parameters: parameters ?? {} };
    const body = { ...what, wait, ...(confirm === undefined ? {} : { confirm }), ...(reason ? { reason } : {}) };
    for (let attempt = 0; ; attempt += 1) {
      try {
        return await ask<Command>(this.#deps.source, 'POST', path, { body, idempotencyKey: key, signal });
      } catch (error) {
        const ended = error instanceof Refused ? recordIn(error.problem) : undefined;
        if (ended) return ended;
        const pauseMs = limitsPanel.retryMs[attempt];
        if (!(error instanceof Unanswered) || pauseMs === undefined) throw error;
        if (this.#progress.at === 'sending') this.#set({ ...this.#progress, attempt: attempt + 1 });
        await sleep(pauseMs, signal);
      }
    }
  }

  /** The record a moment later. Who may not read records asks for the same command again: its key makes that a question. */
  async #look(order: Order, command: Command, signal: AbortSignal): Promise<Command> {
    if (!this.#deps.mayRead()) return await this.#post(order, undefined, limitsPanel.longWait, signal);
    await sleep(limitsPanel.lookMs, signal);
    try {
      return await ask<Command>(this.#deps.source, 'GET', pathOf('commands', command.id), { signal });
    } catch (error) {
      // The next look may reach it.
      if (error instanceof Unanswered) return command;
      throw error;
    }
  }

  #set(progress: Progress): void {
    this.#progress = progress;
    for (const listener of this.#listeners) listener();
  }
}

export function isBusy({ at }: Progress): boolean {
  return at === 'sending' || at === 'asked' || at === 'running';
}

function endOf(order: Order, error: Error): Progress {
  if (!(error instanceof Refused)) return { at: 'lost', order, why: error.message };
  const { problem } = error;
  const { nonce, reading, value, expires } = problem.extra as Partial<Question>;
  if (problem.type === 'confirm-required' && typeof nonce === 'string')
    return { at: 'asked', order, question: { nonce, reading: reading ?? null, value: value ?? null, expires: expires ?? 0 } };
  return { at: 'refused', order, problem };
}

/** A command that ended badly comes as a problem document with the record in it. */
function recordIn({ extra, detail }: Problem): Command | undefined {
  const { id, state, times } = extra as Partial<Command>;
  return typeof id === 'string' && state !== undefined && typeof times === 'object'
    ? { ...(extra as unknown as Command), detail }
    : undefined;
}
