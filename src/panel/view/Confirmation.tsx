import { Button, Field, Input, Modal } from '@grafana/ui';
import { useState } from 'react';
import type { Styles } from './styles.ts';
import { texts } from './texts.ts';

interface Props {
  title: string;
  /** What is to be done, and what the device says now. */
  question: string;
  reading: string;
  confirm: string;
  askReason: boolean;
  styles: Styles;
  onAnswer(yes: boolean, reason?: string): void;
}

/** Is it really meant? The answer "no" has the focus: Enter pressed twice by mistake moves nothing. */
export function Confirmation({ title, question, reading, confirm, askReason, styles, onAnswer }: Props) {
  const [reason, setReason] = useState('');
  return (
    <Modal isOpen title={title} onDismiss={() => onAnswer(false)} trapFocus>
      <p>{question}</p>
      {reading && <p>{reading}</p>}
      {askReason && (
        <Field label={texts.why} description={texts.whyHint}>
          <Input value={reason} maxLength={512} onChange={({ currentTarget }) => setReason(currentTarget.value)} />
        </Field>
      )}
      <Modal.ButtonRow>
        <Button className={styles.button} variant="secondary" fill="outline" autoFocus onClick={() => onAnswer(false)}>
          {texts.cancel}
        </Button>
        <Button
          className={styles.button}
          variant="destructive"
          disabled={askReason && reason.trim() === ''}
          onClick={() => onAnswer(true, askReason ? reason.trim() : undefined)}
        >
          {confirm}
        </Button>
      </Modal.ButtonRow>
    </Modal>
  );
}
