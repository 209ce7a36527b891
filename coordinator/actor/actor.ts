/**
 * Actors: state that only its own messages can change. `receive` is synchronous; an actor that needs an answer from
 * outside starts the call with `pipe` and gets the outcome later as a message, so no state ever changes in the middle
 * of a handler. Nobody holds an actor, only its `Address`.
 */

export interface Actor<Message> {
  receive(message: Message, context: Context<Message>): void
}

/** Where to send. Holds no state of the actor and may be copied freely. */
export interface Address<Message> {
  /** Returns false, and drops the message, if the mailbox is full or the actor has stopped. */
  send(message: Message): boolean
}

export interface Context<Message> {
  /** The same for all of one message: what is too early now and what is late now leave nothing between them. */
  nowMs(): number
  /** Sends `message` to the actor itself after `delayMs`; the returned function cancels. */
  schedule(delayMs: number, message: Message): () => void
  /** Turns the outcome of a call, kept or broken, into a message to the actor itself. */
  pipe<T>(call: Promise<T>, kept: (value: T) => Message, broken: (reason: unknown) => Message): void
  /** Ends the actor after the current message. */
  stop(): void
}
