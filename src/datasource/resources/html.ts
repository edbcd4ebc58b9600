/** HTML in which everything that is put in is text: `html` escapes it, except what `html` made itself. */
export class Html {
  readonly text: string;
  constructor(text: string) {
    this.text = text;
  }
}

type Part = Html | string | number | readonly Part[];

export function html(texts: TemplateStringsArray, ...parts: readonly Part[]): Html {
  return new Html(texts.map((text, index) => `${text}${render(parts[index] ?? '')}`).join(''));
}

function render(part: Part): string {
  if (part instanceof Html) return part.text;
  return Array.isArray(part) ? part.map(render).join('') : escaped(String(part));
}

const entities: Record<string, string> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&#39;', '`': '&#96;' };

/** Control characters become a visible mark: a direction override in a title would turn round what stands beside it. */
function escaped(text: string): string {
  return text
    .toWellFormed()
    .replaceAll(/[\p{Cc}\p{Bidi_Control}]/gu, (character) => (character === '\n' ? character : '\u{fffd}'))
    .replaceAll(/[&<>"'`]/g, (character) => entities[character] ?? '');
}
