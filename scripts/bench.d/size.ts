/** The whole of a measure, or just enough of it to see that it still works. */
export type Size = 'whole' | 'short';

export type Sized<T> = Readonly<Record<Size, T>>;
