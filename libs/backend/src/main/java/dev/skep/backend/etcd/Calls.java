package dev.skep.backend.etcd;

import com.google.common.util.concurrent.ListenableFuture;
import dev.skep.backend.Access.Credentials;
import dev.skep.backend.StoreException;
import io.etcd.jetcd.api.AuthGrpc;
import io.etcd.jetcd.api.AuthenticateRequest;
import io.grpc.CallOptions;
import io.grpc.MethodDescriptor;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import io.grpc.stub.ClientCalls;
import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;

/**
 * Calls to etcd. Every one ends: with an answer, with a refusal, or when its time is over. What may be repeated is
 * repeated on the next server; what may not is only sent again when it certainly never arrived.
 */
final class Calls {
  private static final long MOST_PAUSE_NANOS = Duration.ofMillis(100).toNanos();
  private static final int TOKENS_PER_CALL = 3;

  private final Members members;
  private final Tokens tokens;
  private final Duration timeout;
  private final long silenceNanos;
  private final CountDownLatch closed = new CountDownLatch(1);

  Calls(Members members, Tokens tokens, EtcdConfig config) {
    this.members = members;
    this.tokens = tokens;
    this.timeout = config.timeout();
    this.silenceNanos = config.silence().toNanos();
  }

  /** A question, or a request that does no harm when it arrives twice. */
  <Q, A> A ask(MethodDescriptor<Q, A> method, Q request) {
    return call(method, request, true, System.nanoTime() + timeout.toNanos());
  }

  /** A request that must not arrive twice. When this throws, it may have been done, or may be done later. */
  <Q, A> A once(MethodDescriptor<Q, A> method, Q request) {
    return call(method, request, false, System.nanoTime() + timeout.toNanos());
  }

  private <Q, A> A call(MethodDescriptor<Q, A> method, Q request, boolean repeatable, long end) {
    int tokensRefused = 0;
    Status before = null;
    for (int tries = 1; ; tries++) {
      refuseWhenClosed();
      if (!method.equals(AuthGrpc.getAuthenticateMethod())) {
        logIn(end);
      }
      String token = tokens.current();
      Member member = members.current();
      Status failure;
      try {
        return attempt(member, method, request, end);
      } catch (StatusRuntimeException e) {
        failure = e.getStatus();
      }
      Fate fate = tokens.fate(failure, token);
      boolean again = switch (fate) {
        case NOT_DONE -> true;
        case STRANGER -> {
          tokens.refused(token);
          yield ++tokensRefused < TOKENS_PER_CALL && tokens.wanted().isPresent();
        }
        case UNKNOWN -> repeatable;
        case REFUSED -> false;
      };
      if (!again || System.nanoTime() - end >= 0) {
        // that the time was up says less than what it was used up by
        Status why = before != null && failure.getCode() == Status.Code.DEADLINE_EXCEEDED ? before : failure;
        throw new Refused(failure, "etcd at " + members + ": " + Fate.sentence(why));
      }
      before = failure;
      if (fate != Fate.STRANGER) {
        members.leave(member);
        pause(tries, end);
        members.current().hurry();
      }
    }
  }

  /** Throws {@link StatusRuntimeException}. */
  private <Q, A> A attempt(Member member, MethodDescriptor<Q, A> method, Q request, long end) {
    CallOptions options = CallOptions.DEFAULT.withDeadlineAfter(Math.max(1, end - System.nanoTime()), TimeUnit.NANOSECONDS);
    ListenableFuture<A> answer = ClientCalls.futureUnaryCall(member.channel().newCall(method, options), request);
    try {
      while (true) {
        try {
          return answer.get(silenceNanos, TimeUnit.NANOSECONDS);
        } catch (TimeoutException e) {
          if (!member.answers() && !answer.isDone()) {
            member.reconnect();
            members.leave(member);
            throw Status.UNAVAILABLE.withDescription(member.endpoint() + " is silent").asRuntimeException();
          }
        }
      }
    } catch (ExecutionException e) {
      throw Status.fromThrowable(e.getCause()).asRuntimeException();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new StoreException("interrupted while waiting for etcd", e);
    } finally {
      answer.cancel(true);
    }
  }

  /** Gets a token when etcd wants one. */
  void logIn() {
    logIn(System.nanoTime() + timeout.toNanos());
  }

  private void logIn(long end) {
    if (tokens.wanted().isEmpty()) {
      return;
    }
    synchronized (tokens) {
      Optional<Credentials> who = tokens.wanted();
      if (who.isEmpty()) {
        return; // somebody else got one
      }
      AuthenticateRequest request =
          AuthenticateRequest.newBuilder().setName(who.get().user()).setPassword(who.get().password()).build();
      try {
        tokens.got(call(AuthGrpc.getAuthenticateMethod(), request, true, end).getToken());
      } catch (Refused e) {
        if (!Fate.said(e.status()).contains("authentication is not enabled")) {
          throw e;
        }
        tokens.got(Tokens.NONE);
      }
    }
  }

  /** After all servers were tried once: 5 ms, 10 ms … 100 ms. */
  private void pause(int tries, long end) {
    if (tries % members.count() != 0) {
      return;
    }
    long rounds = Math.min(5, tries / members.count());
    pause(Math.min(MOST_PAUSE_NANOS, Duration.ofMillis(5).toNanos() << (rounds - 1)), end);
  }

  private void pause(long nanos, long end) {
    try {
      if (closed.await(Math.min(nanos, Math.max(0, end - System.nanoTime())), TimeUnit.NANOSECONDS)) {
        refuseWhenClosed();
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new StoreException("interrupted while waiting for etcd", e);
    }
  }

  void refuseWhenClosed() {
    if (closed.getCount() == 0) {
      throw new StoreException("the store is closed");
    }
  }

  void close() {
    closed.countDown();
  }

  /** A call that failed, with what etcd said. */
  static final class Refused extends StoreException {
    private static final long serialVersionUID = 1;
    private final transient Status status;

    private Refused(Status status, String message) {
      super(message, status.getCause());
      this.status = status;
    }

    Status status() {
      return status;
    }

    @Override
    public boolean denied() {
      return Fate.of(status) == Fate.STRANGER || Fate.denies(status);
    }

    @Override
    public boolean full() {
      return Fate.full(status);
    }
  }
}
