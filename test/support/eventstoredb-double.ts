/**
 * A DOUBLE, NOT EventStoreDB. It lets the real client library talk gRPC to something that keeps the rules its
 * documentation gives for Append, Read and subscriptions, in memory. It proves that the driver speaks the protocol
 * and handles the answers; it proves nothing about a real server or cluster: not durability, not failover, not
 * what a real server does beyond those rules. Run the same tests with SALLYPORT_TEST_EVENTSTOREDB=esdb://… for that.
 *
 * It is harsher than a server in one respect: appends that are under way together are applied last first.
 */
import { once } from 'node:events'
import { Metadata, Server, ServerCredentials, status, type ServerReadableStream, type ServerWritableStream, type sendUnaryData, type UntypedServiceImplementation } from '@grpc/grpc-js'
import featuresGrpc from '@eventstore/db-client/generated/serverfeatures_grpc_pb.js'
import features from '@eventstore/db-client/generated/serverfeatures_pb.js'
import gossipGrpc from '@eventstore/db-client/generated/gossip_grpc_pb.js'
import gossip from '@eventstore/db-client/generated/gossip_pb.js'
import shared from '@eventstore/db-client/generated/shared_pb.js'
import streamsGrpc from '@eventstore/db-client/generated/streams_grpc_pb.js'
import streams from '@eventstore/db-client/generated/streams_pb.js'
import { EventLog, type LogEntry, type Proposal, type Verdict } from './eventstoredb-double-log.ts'

type ReadCall = ServerWritableStream<streams.ReadReq, streams.ReadResp>
type AppendCall = ServerReadableStream<streams.AppendReq, streams.AppendResp>
type AppendAnswer = sendUnaryData<streams.AppendResp>

/** A server's default. */
const MAX_APPEND_BYTES = 1024 * 1024

export interface DoubleOptions {
  /** Nobody may read `$all`, as for an account without rights. */
  readonly denyAll?: boolean
  /** Confirms a retry without a position. */
  readonly retriesWithoutPosition?: boolean
  /** Stream reads without positions, as before 22.6. */
  readonly oldStreamReads?: boolean
}

export async function startEventStoreDbDouble(options: DoubleOptions = {}): Promise<EventStoreDbDouble> {
  const double = new EventStoreDbDouble(options)
  await double.start()
  return double
}

export class EventStoreDbDouble {
  readonly log = new EventLog()
  readonly #options: DoubleOptions
  readonly #subscriptions = new Set<() => void>()
  #server = new Server()
  #port = 0
  #waiting: { call: AppendCall; proposal: Proposal; answer: AppendAnswer }[] = []
  #held = false
  #lostAnswers = 0
  #appendCalls = 0
  #openReads = 0

  constructor(options: DoubleOptions) {
    this.#options = options
  }

  get port(): number {
    return this.#port
  }

  get connectionString(): string {
    return `esdb://127.0.0.1:${this.#port}?tls=false`
  }

  /** Finds the server by gossip, as in a cluster. */
  get discoverString(): string {
    return `esdb+discover://127.0.0.1:${this.#port}?tls=false`
  }

  /** Append calls that have come in whole. */
  get appendCalls(): number {
    return this.#appendCalls
  }

  /** Read calls, subscriptions among them, that have not ended. */
  get openReads(): number {
    return this.#openReads
  }

  /** Subscriptions that have been sent everything there is. */
  get subscriptions(): number {
    return this.#subscriptions.size
  }

  async start(): Promise<void> {
    this.#server = new Server()
    this.#server.addService(streamsGrpc.StreamsService, {
      append: (call: AppendCall, answer: AppendAnswer) => this.#append(call, answer),
      read: (call: ReadCall) => void this.#read(call).catch((error: unknown) => call.emit('error', error)),
    } as UntypedServiceImplementation)
    this.#server.addService(featuresGrpc.ServerFeaturesService, { getSupportedMethods: (_: unknown, answer: sendUnaryData<features.SupportedMethods>) => answer(null, supportedMethods()) } as UntypedServiceImplementation)
    this.#server.addService(gossipGrpc.GossipService, { read: (_: unknown, answer: sendUnaryData<gossip.ClusterInfo>) => answer(null, clusterInfo(this.#port)) } as UntypedServiceImplementation)
    this.#port = await this.#bind()
  }

  /** Ends it as a crash does; what was written stays for `start`. */
  kill(): void {
    this.#server.forceShutdown()
    this.#subscriptions.clear()
    this.#waiting = []
  }

  /** Takes appends in without applying or answering them, until `release`. */
  hold(): void {
    this.#held = true
  }

  release(): void {
    this.#held = false
    this.#applySoon()
  }

  /** Writes the next appends, but breaks their calls instead of answering. */
  loseAnswers(count: number): void {
    this.#lostAnswers = count
  }

  /** Written by somebody else, behind everybody's back. */
  appendDirectly(proposal: Proposal): Verdict {
    const verdict = this.log.append(proposal)
    this.#wake()
    return verdict
  }

  /** Hard delete. */
  tombstone(stream: string): void {
    this.log.tombstone(stream)
    this.#wake()
  }

  #append(call: AppendCall, answer: AppendAnswer): void {
    const requests: streams.AppendReq[] = []
    call.on('data', (request: streams.AppendReq) => requests.push(request))
    call.on('end', () => {
      this.#appendCalls++
      this.#waiting.push({ call, proposal: proposalOf(requests), answer })
      this.#applySoon()
    })
  }

  #applySoon(): void {
    setImmediate(() => {
      if (this.#held) return
      for (const { call, proposal, answer } of this.#waiting.splice(0).toReversed()) if (!call.cancelled) this.#apply(proposal, answer)
      this.#wake()
    })
  }

  #apply(proposal: Proposal, answer: AppendAnswer): void {
    if (proposal.bytes > MAX_APPEND_BYTES) return answer(failure('maximum-append-size-exceeded', status.INVALID_ARGUMENT, { 'maximum-append-size': String(MAX_APPEND_BYTES) }))
    const verdict = this.log.append(proposal)
    if (this.#lostAnswers > 0) {
      this.#lostAnswers--
      return answer({ code: status.UNAVAILABLE, details: 'connection lost' })
    }
    if (verdict.kind === 'deleted') return answer(failure('stream-deleted', status.FAILED_PRECONDITION, { 'stream-name': proposal.stream }))
    const keepPosition = verdict.kind !== 'repeated' || this.#options.retriesWithoutPosition !== true
    answer(null, appendResponse(proposal, verdict, keepPosition))
  }

  #wake(): void {
    for (const wake of this.#subscriptions) wake()
  }

  async #read(call: ReadCall): Promise<void> {
    this.#openReads++
    try {
      await this.#answerRead(call)
    } finally {
      this.#openReads--
    }
  }

  async #answerRead(call: ReadCall): Promise<void> {
    const options = call.request.getOptions() ?? new streams.ReadReq.Options()
    if (options.hasAll() && this.#options.denyAll === true) throw failure('access-denied', status.PERMISSION_DENIED, {})
    if (options.hasSubscription()) return this.#subscribe(call, options)
    await (options.hasAll() ? this.#readAll(call, options) : this.#readStream(call, options))
    call.end()
  }

  async #readStream(call: ReadCall, options: streams.ReadReq.Options): Promise<void> {
    const wanted = options.getStream()
    const name = Buffer.from(wanted?.getStreamIdentifier()?.getStreamName_asU8() ?? []).toString()
    if (this.log.isDeleted(name)) throw failure('stream-deleted', status.FAILED_PRECONDITION, { 'stream-name': name })
    const all = this.log.stream(name)
    if (all.length === 0) return send(call, streamNotFound(name))
    const backwards = options.getReadDirection() === streams.ReadReq.Options.ReadDirection.BACKWARDS
    const from = wanted?.hasRevision() ? BigInt(wanted.getRevision()) : undefined
    const ordered = backwards ? all.toReversed() : all
    const part = ordered.filter(({ revision }) => from === undefined || (backwards ? revision <= from : revision >= from))
    await sendAll(call, part.slice(0, Number(options.getCount())), this.#options.oldStreamReads === true)
  }

  async #readAll(call: ReadCall, options: streams.ReadReq.Options): Promise<void> {
    const backwards = options.getReadDirection() === streams.ReadReq.Options.ReadDirection.BACKWARDS
    const entries = backwards ? this.log.entries.toReversed() : this.log.entries
    // A read begins with the event at the position; a subscription just after it.
    const from = options.getAll()?.hasPosition() ? BigInt(options.getAll()?.getPosition()?.getCommitPosition() ?? 0) : undefined
    const part = entries.filter(({ position }) => from === undefined || (backwards ? position <= from : position >= from))
    await sendAll(call, part.slice(0, Number(options.getCount())), false)
  }

  async #subscribe(call: ReadCall, options: streams.ReadReq.Options): Promise<void> {
    const from = options.getAll()?.hasPosition() ? BigInt(options.getAll()?.getPosition()?.getCommitPosition() ?? 0) : -1n
    const passes = filterOf(options)
    const confirmation = new streams.ReadResp.SubscriptionConfirmation()
    confirmation.setSubscriptionId('00000000-0000-4000-8000-000000000000')
    await send(call, new streams.ReadResp().setConfirmation(confirmation))
    let next = this.log.entries.findIndex(({ position }) => position > from)
    if (next < 0) next = this.log.entries.length
    while (!call.cancelled) {
      const entry = this.log.entries[next]
      if (entry === undefined) await this.#more(call)
      else if (passes(entry)) await send(call, eventResponse(entry, false))
      if (entry !== undefined) next++
    }
  }

  async #more(call: ReadCall): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>()
    this.#subscriptions.add(resolve)
    call.once('cancelled', resolve)
    await promise
    call.off('cancelled', resolve)
    this.#subscriptions.delete(resolve)
  }

  #bind(): Promise<number> {
    return new Promise((resolve, reject) => {
      const done = (error: Error | null, port: number): void => (error === null ? resolve(port) : reject(error))
      this.#server.bindAsync(`127.0.0.1:${this.#port}`, ServerCredentials.createInsecure(), done)
    })
  }
}

async function sendAll(call: ReadCall, entries: readonly LogEntry[], withoutPosition: boolean): Promise<void> {
  for (const entry of entries) if (!call.cancelled) await send(call, eventResponse(entry, withoutPosition))
}

/** Waits for a slow reader. */
async function send(call: ReadCall, response: streams.ReadResp): Promise<void> {
  if (call.write(response) || call.cancelled) return
  const over = new AbortController()
  await Promise.race([once(call, 'drain', over), once(call, 'cancelled', over)])
  over.abort()
}

function proposalOf(requests: readonly streams.AppendReq[]): Proposal {
  const options = requests[0]?.getOptions()
  const messages = requests.slice(1).map((request) => request.getProposedMessage()).filter((message) => message !== undefined)
  const events = messages.map((message) => ({
    id: message.getId()?.getString() ?? '',
    type: message.getMetadataMap().get('type') ?? '',
    contentType: message.getMetadataMap().get('content-type') ?? '',
    data: message.getData_asU8(),
    metadata: message.getCustomMetadata_asU8(),
  }))
  const bytes = events.reduce((sum, { data, metadata }) => sum + data.length + metadata.length, 0)
  return { stream: Buffer.from(options?.getStreamIdentifier()?.getStreamName_asU8() ?? []).toString(), expected: expectedOf(options), events, bytes }
}

function expectedOf(options: streams.AppendReq.Options | undefined): Proposal['expected'] {
  if (options?.hasRevision()) return BigInt(options.getRevision())
  return options?.hasNoStream() ? 'no_stream' : 'any'
}

function appendResponse({ expected }: Proposal, verdict: Exclude<Verdict, { kind: 'deleted' }>, keepPosition: boolean): streams.AppendResp {
  if (verdict.kind === 'conflict') return new streams.AppendResp().setWrongExpectedVersion(conflictOf(expected, verdict.actual))
  const success = new streams.AppendResp.Success().setCurrentRevision(String(verdict.revision))
  const position = new streams.AppendResp.Position().setCommitPosition(String(verdict.position)).setPreparePosition(String(verdict.position))
  return new streams.AppendResp().setSuccess(keepPosition ? success.setPosition(position) : success.setNoPosition(new shared.Empty()))
}

function conflictOf(expected: Proposal['expected'], actual: bigint | undefined): streams.AppendResp.WrongExpectedVersion {
  const conflict = new streams.AppendResp.WrongExpectedVersion()
  if (typeof expected === 'bigint') conflict.setExpectedRevision(String(expected))
  else conflict.setExpectedNoStream(new shared.Empty())
  return actual === undefined ? conflict.setCurrentNoStream(new shared.Empty()) : conflict.setCurrentRevision(String(actual))
}

function eventResponse(entry: LogEntry, withoutPosition: boolean): streams.ReadResp {
  const position = withoutPosition ? String(2n ** 64n - 1n) : String(entry.position)
  const event = new streams.ReadResp.ReadEvent.RecordedEvent()
  event.setId(new shared.UUID().setString(entry.id))
  event.setStreamIdentifier(new shared.StreamIdentifier().setStreamName(Buffer.from(entry.stream)))
  event.setStreamRevision(String(entry.revision)).setCommitPosition(position).setPreparePosition(position)
  event.getMetadataMap().set('type', entry.type).set('content-type', entry.contentType).set('created', '638000000000000000')
  event.setCustomMetadata(entry.metadata).setData(entry.data)
  return new streams.ReadResp().setEvent(new streams.ReadResp.ReadEvent().setEvent(event).setCommitPosition(position))
}

function streamNotFound(name: string): streams.ReadResp {
  const identifier = new shared.StreamIdentifier().setStreamName(Buffer.from(name))
  return new streams.ReadResp().setStreamNotFound(new streams.ReadResp.StreamNotFound().setStreamIdentifier(identifier))
}

function filterOf(options: streams.ReadReq.Options): (entry: LogEntry) => boolean {
  const expression = options.getFilter()?.getStreamIdentifier()
  if (expression === undefined) return () => true
  const prefixes = expression.getPrefixList()
  const pattern = new RegExp(expression.getRegex())
  return ({ stream }) => (prefixes.length > 0 ? prefixes.some((prefix) => stream.startsWith(prefix)) : pattern.test(stream))
}

function failure(exception: string, code: status, fields: Readonly<Record<string, string>>): { code: status; details: string; metadata: Metadata } {
  const metadata = new Metadata()
  for (const [key, value] of Object.entries({ exception, ...fields })) metadata.set(key, value)
  return { code, details: exception, metadata }
}

/** As a real server does, it announces BatchAppend; the driver must not use it, and here nobody would answer. */
function supportedMethods(): features.SupportedMethods {
  const method = new features.SupportedMethod().setServiceName('event_store.client.streams.streams').setMethodName('batchappend')
  return new features.SupportedMethods().setEventStoreServerVersion('0.0.0-double').setMethodsList([method])
}

function clusterInfo(port: number): gossip.ClusterInfo {
  const member = new gossip.MemberInfo().setIsAlive(true).setState(gossip.MemberInfo.VNodeState.LEADER)
  member.setInstanceId(new shared.UUID().setString('00000000-0000-4000-8000-000000000001'))
  return new gossip.ClusterInfo().setMembersList([member.setHttpEndPoint(new gossip.EndPoint().setAddress('127.0.0.1').setPort(port))])
}
