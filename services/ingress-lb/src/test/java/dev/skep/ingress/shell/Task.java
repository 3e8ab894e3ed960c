package dev.skep.ingress.shell;

import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;

/** A task as the ingress sees it: a server on an address of its own on loopback. */
@SuppressWarnings("try") // closing waits, which may be interrupted
final class Task implements AutoCloseable {
  /** What it does with one connection. */
  interface Behaviour {
    void serve(Socket socket, InputStream in, OutputStream out) throws Exception;
  }

  private final ServerSocket server;
  private final Thread accepting;

  Task(String address, int port, Behaviour behaviour) throws IOException {
    server = new ServerSocket();
    server.setReuseAddress(true);
    server.bind(new java.net.InetSocketAddress(InetAddress.getByName(address), port), 512);
    accepting =
        Thread.ofVirtual().start(
            () -> {
              while (true) {
                Socket socket;
                try {
                  socket = server.accept();
                } catch (IOException closed) {
                  return;
                }
                Thread.ofVirtual()
                    .start(
                        () -> {
                          try (socket) {
                            behaviour.serve(socket, socket.getInputStream(), socket.getOutputStream());
                          } catch (Exception ended) {
                            return; // the client went away: the test judges what the client saw
                          }
                        });
              }
            });
  }

  /** Says its name and ends. */
  static Behaviour named(String name) {
    return (socket, in, out) -> out.write(name.getBytes());
  }

  @Override
  public void close() throws Exception {
    server.close();
    accepting.join(); // the address is free only when nobody accepts there any more
  }
}
