package dev.skep.moving;

import dev.skep.backend.StoreException;
import dev.skep.moving.shell.Confirming;
import dev.skep.moving.shell.Moving;
import dev.skep.moving.shell.Refusal;
import dev.skep.runtime.config.Settings;
import dev.skep.runtime.config.SettingsException;
import dev.skep.runtime.host.CommandThreads;
import java.time.Clock;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;

/**
 * {@code backup}, {@code restore}, {@code migrate}, {@code pending} and {@code confirm}, with settings behind. Ends with
 * 0, with 1 when it could not be done, with 64 when it was not understood.
 */
public final class MovingMain {
  private static final int MISUNDERSTOOD = 64;

  private MovingMain() {}

  public static void main(String[] args) {
    int exit = 0;
    try (CommandThreads threads = new CommandThreads()) {
      System.out.println(run(args, threads));
    } catch (Refusal | StoreException e) {
      System.err.println("skep: " + e.getMessage());
      exit = 1;
    } catch (SettingsException | IllegalArgumentException e) {
      System.err.println("skep: " + e.getMessage());
      exit = MISUNDERSTOOD;
    }
    System.exit(exit);
  }

  private static Map<String, String> environment() {
    Map<String, String> ours = new TreeMap<>(System.getenv());
    ours.keySet().removeIf(name -> !MovingSettings.variable(name));
    return ours;
  }

  private static String run(String[] args, CommandThreads threads) throws Refusal {
    String command = args.length == 0 ? "" : args[0];
    List<String> flags = Arrays.asList(args).subList(Math.min(1, args.length), args.length);
    Settings given = Settings.load(Optional.empty(), environment(), flags);
    MovingSettings settings = MovingSettings.from(given);
    given.refuseUnknown();
    Moving moving = new Moving(settings, threads::start, Clock.systemUTC());
    return switch (command) {
      case "backup" -> moving.backup();
      case "restore" -> moving.restore();
      case "migrate" -> moving.migrate();
      case "pending" -> Confirming.pending(settings);
      case "confirm" -> Confirming.confirm(settings);
      default -> throw new SettingsException("'" + command + "' is none of backup, restore, migrate, pending, confirm");
    };
  }
}
