export function keeping(source: string, path: string): string;
export function keepingBuilt(source: string): string;
