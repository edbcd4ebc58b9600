export declare function digest(paths: readonly string[], extra?: string): string;
export declare function mark(file: string): { holds(made: string): boolean; set(made: string): void };
