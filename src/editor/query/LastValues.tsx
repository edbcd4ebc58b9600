import { dateTimeFormatTimeAgo } from '@grafana/data';
import { Badge, Stack, Text } from '@grafana/ui';
import { useEffect, useState } from 'react';
import { usePolled } from '../config/polling.ts';
import { counted } from '../counted.ts';
import { Note } from '../Note.tsx';
import { lastText, type PointNow } from '../reading.ts';
import { type Ask, type Chosen, type Meaning, meaningOf } from './names.ts';
import { texts } from './texts.ts';

interface Props {
  ask: Ask;
  chosen: Chosen;
  /** An alert rule cannot compare text. */
  isAlerting: boolean;
}

/** Typing goes on; and values change. */
const settleMs = 300;
const refreshMs = 5_000;
/** A gateway that has just been started by our question has its first values a moment later. */
const soonMs = 1_000;

/** How many devices and points are meant, and what the first of them say now. */
export function LastValues({ ask, chosen, isAlerting }: Props) {
  const key = JSON.stringify(chosen);
  const settled = useSettled(key, settleMs);
  const meaning = usePolled(() => meaningOf(ask, JSON.parse(settled) as Chosen).catch(reasonOf), nextMs, settled);

  if (meaning === undefined) return null;
  if (typeof meaning === 'string') return <Text color="warning">{meaning}</Text>;
  const textPoints = isAlerting ? meaning.shown.filter(({ type }) => type === 'string') : [];
  return (
    <Stack direction="row" gap={2} wrap="wrap" alignItems="center">
      <Note inline>{`${counted(meaning.devices, 'device')}, ${counted(meaning.points, 'point')}`}</Note>
      {meaning.shown.map((point) => (
        <Now key={point.id} point={point} />
      ))}
      {textPoints.length > 0 && <Text color="warning">{texts.noTexts(textPoints.map(({ title }) => title).join(', '))}</Text>}
    </Stack>
  );
}

function nextMs(meaning: Meaning | string | undefined): number {
  return typeof meaning === 'object' && meaning.shown.some(({ last }) => last === null) ? soonMs : refreshMs;
}

/** What was said last and not taken back for a while. */
function useSettled(text: string, afterMs: number): string {
  const [settled, setSettled] = useState(text);
  useEffect(() => {
    const timer = setTimeout(() => setSettled(text), afterMs);
    return () => clearTimeout(timer);
  }, [text, afterMs]);
  return settled;
}

function Now({ point }: { point: PointNow }) {
  const { last } = point;
  return (
    <Stack gap={0.5} alignItems="center">
      <Note inline>{point.title}</Note>
      <Text variant="bodySmall" weight="medium">
        {last === null ? texts.nothingYet : lastText(point)}
      </Text>
      {last && <Note inline>{dateTimeFormatTimeAgo(last.time)}</Note>}
      {last && last.quality !== 'good' && <Badge color={last.quality === 'bad' ? 'red' : 'orange'} text={last.reason || last.quality} />}
    </Stack>
  );
}

/** What the backend says of a selector that it does not understand, in its own words. */
function reasonOf(error: unknown): string {
  const { data, message } = error as { data?: { detail?: string; message?: string }; message?: string };
  return data?.detail ?? data?.message ?? message ?? texts.noAnswer;
}
