/**
 * The language of the door. What comes in: JSON as the world writes it. What goes out: domain specs,
 * views of tasks and hosts, the route table that the API serves and the client calls. Never here:
 * I/O, HTTP status codes. This file and limits.ts load no package, so that the client starts fast.
 * Read next: spec-schema.ts, parse-spec.ts, views.ts.
 */

export interface Route {
  method: 'GET' | 'POST' | 'DELETE';
  /** With `:name` for the parts that vary. */
  path: string;
  what: string;
}

const ROUTE_ROWS = {
  submit: ['POST', '/v1/tasks', 'Submits one task, a JSON array of tasks, or NDJSON; all or none.'],
  plan: ['POST', '/v1/plan', 'Gives the script and plan of a task; nothing is executed.'],
  listTasks: ['GET', '/v1/tasks', 'Lists tasks, newest first.'],
  getTask: ['GET', '/v1/tasks/:id', 'Gives a task; with wait=SECONDS once it has ended.'],
  logs: ['GET', '/v1/tasks/:id/logs/:stream', 'Gives the raw bytes of a stream from an offset.'],
  cancel: ['POST', '/v1/tasks/:id/cancel', 'Cancels a task.'],
  retry: ['POST', '/v1/tasks/:id/retry', 'Starts a new attempt of an ended task.'],
  hold: ['POST', '/v1/tasks/:id/hold', 'Holds a task that has not been placed yet.'],
  release: ['POST', '/v1/tasks/:id/release', 'Releases a held task.'],
  files: ['GET', '/v1/tasks/:id/files', 'Lists a directory below the work directory of a task.'],
  matchFiles: ['GET', '/v1/tasks/:id/files/match', 'Finds what a path or glob of a task means.'],
  fileContent: [
    'GET',
    '/v1/tasks/:id/files/content',
    'Gives a file of a task; its hash is in the head.',
  ],
  exec: [
    'POST',
    '/v1/tasks/:id/exec',
    'Runs a command inside a task; frames go both ways at once.',
  ],
  events: ['GET', '/v1/events', 'Tells events as NDJSON, from a sequence number on.'],
  listHosts: ['GET', '/v1/hosts', 'Lists the configured hosts.'],
  getHost: ['GET', '/v1/hosts/:name', 'Gives a host; with probe after connecting to it.'],
  pauseHost: ['POST', '/v1/hosts/:name/pause', 'Sends nothing to a host until it is resumed.'],
  resumeHost: ['POST', '/v1/hosts/:name/resume', 'Ends a pause or a drain of a host.'],
  drainHost: ['POST', '/v1/hosts/:name/drain', 'Gives a host no new tasks until it is resumed.'],
  forgetHost: ['POST', '/v1/hosts/:name/forget', 'Removes what this daemon made on a host.'],
  setupHost: ['POST', '/v1/hosts/:name/setup', 'Makes the root of a host and looks at it now.'],
  setupApptainer: [
    'POST',
    '/v1/hosts/:name/apptainer',
    'Looks for, or installs, the container runtime of a host; what it says as NDJSON, its end last.',
  ],
  trustHost: [
    'POST',
    '/v1/hosts/:name/trust',
    'Gives the keys a host offers; with fingerprints it pins those.',
  ],
  doctor: [
    'POST',
    '/v1/hosts/:name/doctor',
    'Examines a host; findings as NDJSON, a summary last.',
  ],
  loginHost: [
    'POST',
    '/v1/hosts/:name/login',
    'Logs in to a host step by step, with answers from a person.',
  ],
  listImages: ['GET', '/v1/hosts/:name/images', 'Lists the images Towline pulled on a host.'],
  pullImage: ['POST', '/v1/hosts/:name/images', 'Pulls an image on a host and waits for it.'],
  removeImage: ['DELETE', '/v1/hosts/:name/images', 'Removes an image Towline pulled on a host.'],
  pruneImages: [
    'POST',
    '/v1/hosts/:name/images/prune',
    'Removes the images of a host that no task used for long.',
  ],
  upload: ['POST', '/v1/uploads', 'Keeps bytes (a large stdin) for a task submitted next.'],
  gc: ['POST', '/v1/gc', 'Removes what ended tasks left, and their logs.'],
  gcHistory: ['GET', '/v1/gc', 'Tells what was removed, and when.'],
  health: ['GET', '/healthz', 'Says that the daemon is there.'],
  metrics: ['GET', '/metrics', 'Gives numbers in the Prometheus text format.'],
  openapi: ['GET', '/openapi.json', 'Gives this interface as an OpenAPI document.'],
} as const;

export type RouteName = keyof typeof ROUTE_ROWS;

export const ROUTES = Object.freeze(
  Object.fromEntries(
    Object.entries(ROUTE_ROWS).map(([name, [method, path, what]]) => [
      name,
      { method, path, what },
    ]),
  ) as Record<RouteName, Route>,
);

export type QueryValue = string | number | boolean | readonly string[] | undefined;

/** The path of a route with its parts filled in and the query appended; undefined values are left out. */
export function routePath(
  name: RouteName,
  params: Record<string, string> = {},
  query: Record<string, QueryValue> = {},
): string {
  const path = ROUTES[name].path.replaceAll(/:(\w+)/g, (_, key: string) =>
    encodeURIComponent(params[key] ?? ''),
  );
  const search = new URLSearchParams();
  for (const [key, value] of Object.entries(query)) {
    if (value === undefined) continue;
    for (const one of Array.isArray(value) ? value : [value]) search.append(key, String(one));
  }
  return search.size === 0 ? path : `${path}?${search.toString()}`;
}
