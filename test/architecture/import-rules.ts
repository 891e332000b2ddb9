import type { IForbiddenRuleType } from 'dependency-cruiser'

const HOUSE = '^(core|adapters|projections|plugins|gateway|console|bench|test)/'

/** Who may import whom; ARCHITECTURE.md says why. Each comment says what to do instead. */
export const IMPORT_RULES: readonly IForbiddenRuleType[] = [
  {
    name: 'events-import-nothing',
    comment: 'The vocabulary depends on nobody. Move what is shared into core/events, or take it as an argument elsewhere.',
    severity: 'error',
    from: { path: '^core/events/' },
    to: { path: HOUSE, pathNot: '^core/events/' },
  },
  {
    name: 'core-knows-nobody',
    comment: 'The engine knows no protocol and no view. Declare a port in core, implement it outside, and hand it in from gateway/container.ts.',
    severity: 'error',
    from: { path: '^core/' },
    to: { path: HOUSE, pathNot: '^core/' },
  },
  {
    name: 'drivers-are-handed-in',
    comment: 'Core works with the port (EventStore, EventBus). Only gateway chooses a driver: take the port as an argument.',
    severity: 'error',
    from: { path: '^core/', pathNot: '^core/(store|bus)/drivers/' },
    to: { path: '^core/(store|bus)/drivers/' },
  },
  {
    name: 'core-has-one-door',
    comment: 'Import from core/index.ts. What is missing there is either not yours to use, or belongs into it.',
    severity: 'error',
    from: { path: '^(adapters|projections|plugins|console)/' },
    to: { path: '^core/', pathNot: '^core/index\\.ts$' },
  },
  {
    name: 'adapters-are-strangers',
    comment: 'An adapter that needs another one\'s code shares it through adapters/shared.',
    severity: 'error',
    from: { path: '^adapters/([^/]+)/' },
    to: { path: '^adapters/', pathNot: '^adapters/($1|shared)/' },
  },
  {
    name: 'adapters-know-only-core',
    comment: 'What an adapter has to tell a view is an event: stage it through the gate, and let the projection read the store.',
    severity: 'error',
    from: { path: '^adapters/' },
    to: { path: HOUSE, pathNot: '^(core|adapters)/' },
  },
  {
    name: 'projections-know-only-core',
    comment: 'A view is a function of events. What it needs of a protocol (rendering recorded bytes) is handed in from gateway.',
    severity: 'error',
    from: { path: '^projections/' },
    to: { path: HOUSE, pathNot: '^(core|projections)/' },
  },
  {
    name: 'plugins-know-only-the-sdk',
    comment: 'A plugin imports plugins/sdk and its own folder, as a third party\'s would. What is missing belongs into the sdk.',
    severity: 'error',
    from: { path: '^plugins/(?!sdk/)([^/]+)/' },
    to: { path: HOUSE, pathNot: '^plugins/(sdk|$1)/' },
  },
  {
    name: 'the-sdk-knows-only-core',
    comment: 'The sdk is a door to core; a plugin registers itself with the host it is given.',
    severity: 'error',
    from: { path: '^plugins/sdk/' },
    to: { path: HOUSE, pathNot: '^(core|plugins/sdk)/' },
  },
  {
    name: 'wire-is-pure',
    comment: 'wire/ is bytes and messages: no sockets, no policy. Pass in what it needs, or do it in the folder above.',
    severity: 'error',
    from: { path: '^(adapters/[^/]+/wire)/' },
    to: { pathNot: ['^$1/', '^(node:)?(buffer|crypto|zlib)$'] },
  },
  {
    name: 'inversify-stays-in-gateway',
    comment: 'Take what you need in the constructor; gateway/container.ts binds it.',
    severity: 'error',
    from: { pathNot: '^(gateway|node_modules)/' },
    to: { path: '(^|node_modules/)inversify' },
  },
  {
    name: 'rxjs-stays-off-the-byte-path',
    comment: 'rxjs is for streams of events. In an adapter use plain callbacks and back-pressure.',
    severity: 'error',
    from: { path: '^adapters/' },
    to: { path: '(^|node_modules/)rxjs' },
  },
  {
    name: 'nobody-imports-the-gateway',
    comment: 'gateway puts the others together. Move what is shared down to where both may import it.',
    severity: 'error',
    from: { pathNot: '^(gateway|test|bench|node_modules)/' },
    to: { path: '^gateway/' },
  },
  {
    name: 'nobody-ships-tests',
    comment: 'What runs in production does not live in test/ or bench/. Move it, or keep the caller in test/ too.',
    severity: 'error',
    from: { pathNot: '^(test|bench|node_modules)/' },
    to: { path: '^(test|bench)/' },
  },
]
