/** The parameters of a named command as they are typed: a JSON object, or why it is none. */
export function parametersOf(text: string): Record<string, unknown> | undefined | string {
  if (text.trim() === '') return undefined;
  try {
    const parsed: unknown = JSON.parse(text);
    if (typeof parsed === 'object' && parsed !== null && !Array.isArray(parsed)) return parsed as Record<string, unknown>;
  } catch {
    // Said below.
  }
  return 'The parameters in the options of the panel are no JSON object: { "name": value }.';
}
