/** Schemas that the compiler holds against the domain's types: none forgotten, none too many. */
import { z } from 'zod';

/** A strict object schema with exactly the keys of T, the optional ones included. */
export function objectOf<T>(shape: { [K in keyof T]-?: z.ZodType<T[K]> }): z.ZodType<T> {
  return z.strictObject(shape as z.ZodRawShape) as unknown as z.ZodType<T>;
}

/** One of a closed list of words; the record makes the compiler ask for every one. */
export function oneOf<T extends string>(words: Record<T, true>): z.ZodType<T> {
  return z.enum(Object.keys(words) as [T, ...T[]]) as unknown as z.ZodType<T>;
}

/** A union told apart by `kind`, with a schema for every kind of T. */
export function variantsOf<T extends { kind: string }>(
  table: {
    [K in T['kind']]: z.ZodType<Extract<T, { kind: K }>>;
  },
): z.ZodType<T> {
  const options = Object.values(table) as unknown as [z.ZodObject, ...z.ZodObject[]];
  return z.discriminatedUnion('kind', options) as unknown as z.ZodType<T>;
}
