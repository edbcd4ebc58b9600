/** A long list, a page at a time. */
import { useState } from 'react';

interface Pages<T> {
  /** Of the page that is shown. */
  lines: readonly T[];
  /** How many elements stand on the pages before. */
  start: number;
  /** Shows the page on which the element at this place of the whole list is. */
  turnTo(place: number): void;
  /** For `Pagination`. */
  pager: { currentPage: number; numberOfPages: number; onNavigate(page: number): void; hideWhenSinglePage: true };
}

export function usePages<T>(all: readonly T[], size: number): Pages<T> {
  const [page, setPage] = useState(1);
  const numberOfPages = Math.max(Math.ceil(all.length / size), 1);
  // A search may leave fewer pages than one has leafed through.
  const currentPage = Math.min(page, numberOfPages);
  const start = (currentPage - 1) * size;
  return {
    lines: all.slice(start, start + size),
    start,
    turnTo: (place) => setPage(Math.floor(place / size) + 1),
    pager: { currentPage, numberOfPages, onNavigate: setPage, hideWhenSinglePage: true },
  };
}
