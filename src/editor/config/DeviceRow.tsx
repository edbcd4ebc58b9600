import { counted } from '../counted.ts';
import { Note } from '../Note.tsx';
import { lastText } from '../reading.ts';
import { useEditor } from './context.ts';
import { DeviceForm } from './DeviceForm.tsx';
import { type Item, listOf, textOf } from './document.ts';
import { FaultMark, StateMark } from './Marks.tsx';
import { usePolled } from './polling.ts';
import { Row } from './Row.tsx';
import type { RowActs } from './rows.ts';
import { texts } from './texts.ts';

/** How often values are asked: of an open device, and of the lines of the page. */
const openEveryMs = 2_000;
const closedEveryMs = 15_000;
/** Values that find room on a line. */
const lineValuesMax = 3;

interface Props extends RowActs {
  index: number;
  device: Item;
}

export function DeviceRow({ index, device, ...acts }: Props) {
  const { devices: running, profiles, resources, readOnly } = useEditor();
  const { isOpen } = acts;
  const id = textOf(device.id);
  const state = running.get(id);
  const points = usePolled(state ? () => resources.points(id) : undefined, isOpen ? openEveryMs : closedEveryMs, `${id} ${isOpen}`);
  const profile = profiles.find((one) => one.id === device.profile);
  const count = listOf(device.points).length;
  const place = `devices[${index}]`;
  const isTemplate = id.includes('{');
  const says = (points ?? []).filter(({ last }) => last && last.value !== null).slice(0, lineValuesMax);
  return (
    <article aria-label={id}>
      <Row
        place={place}
        title={textOf(device.title) || id || '?'}
        subtitle={[id, textOf(device.connection), profile?.title, count > 0 || !profile ? counted(count, 'point') : undefined]
          .filter(Boolean)
          .join(' · ')}
        marks={
          <>
            {!isOpen && says.length > 0 && <Note inline>{says.map((point) => `${point.id} ${lastText(point)}`).join('  ')}</Note>}
            <FaultMark place={place} />
            {!isTemplate && <StateMark state={state} />}
          </>
        }
        readOnly={readOnly}
        removeQuestion={texts.removeDevice}
        {...acts}
      >
        {() => <DeviceForm index={index} device={device} points={points} state={state} />}
      </Row>
    </article>
  );
}
