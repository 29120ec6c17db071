package io.github.nettyunix;


import com.tngtech.archunit.core.domain.JavaClass;
import com.tngtech.archunit.core.domain.JavaClasses;
import com.tngtech.archunit.core.domain.JavaMethodCall;
import com.tngtech.archunit.core.importer.ClassFileImporter;
import com.tngtech.archunit.library.dependencies.SliceAssignment;
import com.tngtech.archunit.library.dependencies.SliceIdentifier;
import com.tngtech.archunit.library.dependencies.SlicesRuleDefinition;
import io.github.nettyunix.internal.NativeTransport;
import io.github.nettyunix.internal.endpoint.SocketName;
import io.netty.channel.Channel;
import io.netty.channel.ChannelConfig;
import io.netty.util.internal.PlatformDependent;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

import java.util.List;
import java.util.Set;

import static com.tngtech.archunit.base.DescribedPredicate.describe;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;

/** Which package may use which, and that no class is part of a cycle. */
@Tag("once")
class ArchitectureTest {
    private static final String ROOT = "io.github.nettyunix";
    private static final String HANDLER = ROOT + ".handler";
    private static final String PROCESS = ROOT + ".process";
    private static final String INTERNAL = ROOT + ".internal";
    private static final String ERRORS = INTERNAL + ".errors";
    private static final String READ = INTERNAL + ".read";
    private static final String WRITE = INTERNAL + ".write";
    private static final String ENDPOINT = INTERNAL + ".endpoint";
    private static final String READINESS = INTERNAL + ".readiness";
    private static final String SOCKET = INTERNAL + ".socket";
    private static final String METRICS = INTERNAL + ".metrics";

    private static final JavaClasses CLASSES = new ClassFileImporter()
            .importUrl(UnixTransport.class.getProtectionDomain().getCodeSource().getLocation());

    /** A nested class counts as a part of the one that it is nested in. */
    private static final SliceAssignment TOP_LEVEL_CLASSES = new SliceAssignment() {
        @Override
        public SliceIdentifier getIdentifierOf(JavaClass type) {
            return SliceIdentifier.of(type.getName().replaceAll("\\$.*", ""));
        }

        @Override
        public String getDescription() {
            return "top-level classes";
        }
    };

    private static final Set<String> QUESTIONS = Set.of("normalizedOs", "isOsx", "isWindows", "isAndroid",
            "normalizedLinuxClassifiers");

    @Test
    void noClassIsPartOfACycle() {
        SlicesRuleDefinition.slices().assignedFrom(TOP_LEVEL_CLASSES).should().beFreeOfCycles().check(CLASSES);
    }

    @Test
    void systemCallsKnowNothingAbove() {
        uses(SOCKET, SOCKET);
    }

    @Test
    void selectorsKnowNothingAbove() {
        uses(READINESS, READINESS, SOCKET);
    }

    @Test
    void metricsAreOfValues() {
        uses(METRICS, METRICS, ROOT);
    }

    /** Any handler could be one of a user, except that these report what they refuse. */
    @Test
    void handlersUsePublicApiOnly() {
        uses(HANDLER, HANDLER, ROOT, METRICS);
    }

    @Test
    void processesAreBesideTheTransport() {
        uses(PROCESS, PROCESS, ROOT, INTERNAL, ERRORS, SOCKET);
    }

    @Test
    void errorsAreMadeOfValues() {
        uses(ERRORS, ERRORS, ROOT, SOCKET);
    }

    @Test
    void internalsDoNotKnowChannels() {
        noClasses().that().resideInAnyPackage(INTERNAL + "..").or().resideInAPackage(PROCESS).should()
                .dependOnClassesThat(describe("are a channel, its config or a factory of channels",
                        type -> type.getPackageName().equals(ROOT) && (type.isAssignableTo(Channel.class)
                                || type.isAssignableTo(ChannelConfig.class)
                                || type.isEquivalentTo(UnixTransport.class)
                                || type.isEquivalentTo(SocketActivation.class))))
                .check(CLASSES);
        noClasses().that().resideInAnyPackage(INTERNAL + "..").should().dependOnClassesThat()
                .resideInAnyPackage(HANDLER, PROCESS).check(CLASSES);
    }

    @Test
    void readersAndWritersSeeTheEndpointThroughTheCore() {
        noClasses().that().resideInAnyPackage(READ, WRITE).should().dependOnClassesThat(
                describe("are of the endpoint", type -> type.getPackageName().equals(ENDPOINT)
                        && !type.isEquivalentTo(SocketName.class)))
                .check(CLASSES);
        noClasses().that().resideInAPackage(READ).should().dependOnClassesThat().resideInAPackage(ENDPOINT)
                .check(CLASSES);
    }

    @Test
    void whichOperatingSystemItIsMattersBelowOnly() {
        noClasses().that().resideOutsideOfPackages(READINESS, SOCKET).and().doNotBelongToAnyOf(NativeTransport.class)
                .should().callMethodWhere(describe("the operating system is asked for",
                        ArchitectureTest::asksForSystem))
                .check(CLASSES);
    }

    /** The classes of a package use those of these packages only, and what is not ours. */
    private static void uses(String user, String... used) {
        noClasses().that().resideInAPackage(user).should().dependOnClassesThat(
                describe("are not in " + List.of(used), type -> isOurs(type)
                        && !List.of(used).contains(type.getPackageName())))
                .check(CLASSES);
    }

    private static boolean isOurs(JavaClass type) {
        return type.getPackageName().equals(ROOT) || type.getPackageName().startsWith(ROOT + '.');
    }

    private static boolean asksForSystem(JavaMethodCall call) {
        String owner = call.getTargetOwner().getName();
        return owner.equals(PlatformDependent.class.getName()) && QUESTIONS.contains(call.getName())
                || owner.equals(System.class.getName()) && call.getName().startsWith("getPropert");
    }
}
