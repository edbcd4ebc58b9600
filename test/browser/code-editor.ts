/** Grafana's code editor as people use it. */
import type { Locator, Page } from 'playwright-core';

/** Pastes this text over all that is there: typed, its brackets and quotes would be closed by the editor. */
export async function writeCode(page: Page, label: string, text: string): Promise<void> {
  await withClipboard(await allOf(page, label), 'paste', text);
}

export async function readCode(page: Page, label: string): Promise<string> {
  return await withClipboard(await allOf(page, label), 'copy', '');
}

async function allOf(page: Page, label: string): Promise<Locator> {
  const box = page.getByRole('textbox', { name: label });
  await box.focus();
  await page.keyboard.press('Control+A');
  return box;
}

/** What the browser would do with its own clipboard, which a page without a person may not touch. */
function withClipboard(box: Locator, type: 'copy' | 'paste', text: string): Promise<string> {
  return box.evaluate(
    (element, given) => {
      const clipboardData = new DataTransfer();
      clipboardData.setData('text/plain', given.text);
      element.dispatchEvent(new ClipboardEvent(given.type, { clipboardData, bubbles: true, cancelable: true }));
      return clipboardData.getData('text/plain');
    },
    { type, text },
  );
}
