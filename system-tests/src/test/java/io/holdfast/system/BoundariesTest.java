package io.holdfast.system;

import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;
import static com.tngtech.archunit.library.dependencies.SlicesRuleDefinition.slices;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.tngtech.archunit.core.domain.JavaClasses;
import com.tngtech.archunit.core.importer.ClassFileImporter;
import com.tngtech.archunit.core.importer.ImportOption;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Who may know whom (docs/ARCHITECTURE.md), held against the compiled classes. */
class BoundariesTest {
  /** Each module's package, and the packages of ours that it may use besides its own. */
  private static final Map<String, Set<String>> MAY_USE =
      Map.of(
          "config", Set.of(),
          "erasure", Set.of(),
          "criteo", Set.of(),
          "recovery", Set.of("config", "erasure"),
          "server", Set.of("recovery", "erasure", "config"),
          "worker", Set.of("criteo", "config"),
          "checkpoint", Set.of("server", "config"));

  private static JavaClasses classes;

  @BeforeAll
  static void readClasses() {
    classes =
        new ClassFileImporter()
            .withImportOption(ImportOption.Predefined.DO_NOT_INCLUDE_TESTS)
            .importPackages("io.holdfast");
  }

  @ParameterizedTest
  @ValueSource(
      strings = {"config", "erasure", "criteo", "recovery", "server", "worker", "checkpoint"})
  void shouldKnowOnlyWhatTheArchitectureAllows(String module) {
    assertTrue(
        classes.stream().anyMatch(c -> c.getPackageName().startsWith("io.holdfast." + module)),
        "no class of " + module + " was found: the rule would hold of nothing");
    List<String> forbidden =
        new ArrayList<>(List.of("io.holdfast.launcher..", "io.holdfast.system.."));
    for (String other : MAY_USE.keySet()) {
      if (!other.equals(module) && !MAY_USE.get(module).contains(other)) {
        forbidden.add("io.holdfast." + other + "..");
      }
    }
    noClasses()
        .that()
        .resideInAPackage("io.holdfast." + module + "..")
        .should()
        .dependOnClassesThat()
        .resideInAnyPackage(forbidden.toArray(String[]::new))
        .because("arrows point one way only, see docs/ARCHITECTURE.md")
        .check(classes);
  }

  @Test
  void shouldFindTheSimulatorFromTheLauncherByItsInterfaceOnly() {
    noClasses()
        .that()
        .resideInAPackage("io.holdfast.launcher..")
        .should()
        .dependOnClassesThat()
        .resideInAPackage("io.holdfast.system..")
        .because("MoreCommands finds further commands on the class path")
        .check(classes);
  }

  @Test
  void shouldKeepThreadsAndTheClockOutOfTheSimulator() {
    noClasses()
        .that()
        .resideInAPackage("io.holdfast.system.sim..")
        .and()
        .doNotHaveSimpleName("Campaign")
        .should()
        .dependOnClassesThat()
        .belongToAnyOf(Thread.class, java.security.SecureRandom.class)
        .orShould()
        .callMethod(System.class, "nanoTime")
        .orShould()
        .callMethod(System.class, "currentTimeMillis")
        .because("a seed replays exactly")
        .check(classes);
  }

  @Test
  void shouldUseAkkaOnlyOnTheControlPlane() {
    noClasses()
        .that()
        .resideOutsideOfPackages("io.holdfast..control..")
        .should()
        .dependOnClassesThat()
        .resideInAnyPackage("akka..")
        .because("the protocol core must run in the simulator as well")
        .check(classes);
  }

  @Test
  void shouldUseAeronOnlyInTheTransport() {
    noClasses()
        .that()
        .resideOutsideOfPackages("io.holdfast..transport..")
        .should()
        .dependOnClassesThat()
        .resideInAnyPackage("io.aeron..")
        .because("the link is an interface with two forms")
        .check(classes);
  }

  @Test
  void shouldUseNd4jOnlyInTheWorker() {
    noClasses()
        .that()
        .resideOutsideOfPackages("io.holdfast.worker.dense..")
        .should()
        .dependOnClassesThat()
        .resideInAnyPackage("org.nd4j..", "org.deeplearning4j..", "org.bytedeco..")
        .because("DL4J is wrapped in one interface, DenseEngine")
        .check(classes);
  }

  @Test
  void shouldUseHadoopOnlyForCheckpoints() {
    noClasses()
        .that()
        .resideOutsideOfPackages("io.holdfast.checkpoint..")
        .should()
        .dependOnClassesThat()
        .resideInAnyPackage("org.apache.hadoop..")
        .because("HDFS is the opponent's storage")
        .check(classes);
  }

  @Test
  void shouldKeepTimeThreadsAndChanceOutOfTheProtocolCore() {
    noClasses()
        .that()
        .resideInAnyPackage(
            "io.holdfast.config.protocol..", "io.holdfast.config.placement..",
            "io.holdfast.recovery", "io.holdfast.server.transaction..")
        .should()
        .dependOnClassesThat()
        .belongToAnyOf(Thread.class, java.util.Random.class, java.security.SecureRandom.class)
        .orShould()
        .callMethod(System.class, "nanoTime")
        .orShould()
        .callMethod(System.class, "currentTimeMillis")
        .because("the same classes run in the simulator, where time is a parameter")
        .check(classes);
  }

  @ParameterizedTest
  @ValueSource(strings = {"config", "recovery", "server", "criteo", "launcher"})
  void shouldHaveNoCyclesBetweenPackages(String module) {
    slices()
        .matching("io.holdfast." + module + ".(*)..")
        .should()
        .beFreeOfCycles()
        .allowEmptyShould(true)
        .check(classes);
  }
}
