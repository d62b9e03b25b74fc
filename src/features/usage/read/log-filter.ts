/** The members of an event by which lists and downloads are narrowed: each is also the name of its column. */
export const FILTER_NAMES = ['provider', 'model', 'alias', 'profile', 'origin', 'cost_status'] as const

/** What a member must be, exactly; an absent one may be anything. */
export type LogFilter = { readonly [name in (typeof FILTER_NAMES)[number]]?: string | undefined }
