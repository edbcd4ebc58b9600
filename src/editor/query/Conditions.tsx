import { Button, Combobox, IconButton, Stack, Text } from '@grafana/ui';
import type { FieldgateQuery, Where } from '../types.ts';
import { unseen } from '../unseen.ts';
import { NamePicker } from './NamePicker.tsx';
import { type Ask, suggest } from './names.ts';
import { texts } from './texts.ts';
import { operatorOptions } from './words.ts';

interface Props {
  ask: Ask;
  query: FieldgateQuery;
  onChange(changes: Partial<FieldgateQuery>): void;
}

/** What has to hold of the labels: a row each. Selectors in `labels`, which only code can write, are shown and can be taken away. */
export function Conditions({ ask, query, onChange }: Props) {
  const where = query.where ?? [];
  const set = (index: number, change: Partial<Where>) =>
    onChange({ where: where.map((one, i) => (i === index ? { ...one, ...change } : one)) });
  const labels = async () => (await suggest(ask, 'labels', {})).suggestions.map(({ value }) => ({ value, label: value }));

  function without(name: string): void {
    const { [name]: _, ...rest } = query.labels ?? {};
    onChange({ labels: rest });
  }

  return (
    <Stack direction="column" gap={1}>
      {Object.entries(query.labels ?? {}).map(([name, selector]) => (
        <Stack key={name} alignItems="center" gap={1}>
          <Text variant="code">{`${name}: ${selector}`}</Text>
          <IconButton name="times" aria-label={texts.remove(name)} onClick={() => without(name)} />
        </Stack>
      ))}
      {where.map((one, index) => (
        // biome-ignore lint/suspicious/noArrayIndexKey: a condition has no name, and several may be alike.
        <Stack key={index} alignItems="center" gap={0.5} wrap="wrap">
          <span id={`${query.refId}-label-${index}`} style={unseen}>
            {texts.labelOf(index + 1)}
          </span>
          <Combobox
            aria-labelledby={`${query.refId}-label-${index}`}
            placeholder={texts.label}
            width={20}
            options={labels}
            value={one.label === '' ? null : one.label}
            createCustomValue
            onChange={({ value }) => set(index, { label: value, values: [] })}
          />
          <span id={`${query.refId}-comparison-${index}`} style={unseen}>
            {texts.comparisonOf(index + 1)}
          </span>
          <Combobox
            aria-labelledby={`${query.refId}-comparison-${index}`}
            width={10}
            options={operatorOptions}
            value={one.operator}
            onChange={({ value }) => set(index, { operator: value })}
          />
          <label htmlFor={`${query.refId}-where-${index}`} style={unseen}>
            {texts.valuesOf(index + 1)}
          </label>
          <NamePicker
            ask={ask}
            what="values"
            name={one.label}
            id={`${query.refId}-where-${index}`}
            label={texts.valuesOf(index + 1)}
            placeholder={texts.values}
            value={one.values}
            onChange={(values) => set(index, { values })}
          />
          <IconButton
            name="trash-alt"
            aria-label={texts.remove(texts.conditionOf(index + 1))}
            onClick={() => onChange({ where: where.filter((_, i) => i !== index) })}
          />
        </Stack>
      ))}
      <div>
        <Button
          variant="secondary"
          size="sm"
          icon="plus"
          onClick={() => onChange({ where: [...where, { label: '', operator: '=', values: [] }] })}
        >
          {texts.label}
        </Button>
      </div>
    </Stack>
  );
}
