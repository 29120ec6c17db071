package io.github.nettyunix;

import com.tngtech.archunit.core.domain.JavaClass;
import com.tngtech.archunit.core.domain.JavaClasses;
import com.tngtech.archunit.core.domain.JavaMethodCall;
import com.tngtech.archunit.core.importer.ClassFileImporter;
import com.tngtech.archunit.library.dependencies.SliceAssignment;
import com.tngtech.archunit.library.dependencies.SliceIdentifier;
import com.tngtech.archunit.library.dependencies.SlicesRuleDefinition;
import io.netty.util.internal.PlatformDependent;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

import java.util.Set;

import static com.tngtech.archunit.base.DescribedPredicate.describe;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;

/** Which package may use which, and that no class is part of a cycle. */
@Tag("once")
class ArchitectureTest {
    private static final String ROOT = "io.github.nettyunix";
    private static final String HANDLER = ROOT + ".handler";
    private static final String READINESS = ROOT + ".readiness";
    private static final String SOCKET = ROOT + ".socket";

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
        noClasses().that().resideInAPackage(SOCKET).should().dependOnClassesThat(
                describe("are of another package", type -> isOurs(type) && !type.getPackageName().equals(SOCKET)))
                .check(CLASSES);
    }

    @Test
    void selectorsKnowNothingAbove() {
        noClasses().that().resideInAPackage(READINESS).should().dependOnClassesThat(
                describe("are of another package", type -> isOurs(type) && !type.getPackageName().equals(READINESS)))
                .check(CLASSES);
    }

    @Test
    void handlersUseWhatEverybodyCanUse() {
        noClasses().that().resideInAPackage(HANDLER).should().dependOnClassesThat(
                describe("are not public API", type -> isOurs(type) && !type.getPackageName().equals(HANDLER)
                        && !type.getPackageName().equals(ROOT)))
                .check(CLASSES);
    }

    @Test
    void whichOperatingSystemItIsMattersBelowOnly() {
        noClasses().that().resideOutsideOfPackages(READINESS, SOCKET).and().doNotBelongToAnyOf(NativeTransport.class)
                .should().callMethodWhere(describe("the operating system is asked for",
                        ArchitectureTest::asksForSystem))
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
