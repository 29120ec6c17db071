package io.github.nettyunix.testing;

import org.junit.jupiter.api.extension.AfterEachCallback;
import org.junit.jupiter.api.extension.BeforeEachCallback;
import org.junit.jupiter.api.extension.ExtensionContext;

/** Checks that a test leaves open no descriptor, and running no thread, that was not there before it. */
public final class LeakCheckExtension implements BeforeEachCallback, AfterEachCallback {
    private static final ExtensionContext.Namespace NAMESPACE =
            ExtensionContext.Namespace.create(LeakCheckExtension.class);

    @Override
    public void beforeEach(ExtensionContext context) {
        context.getStore(NAMESPACE).put("descriptors", Descriptors.now());
        context.getStore(NAMESPACE).put("threads", Threads.now());
    }

    @Override
    public void afterEach(ExtensionContext context) {
        // A test that has failed may have left something behind.
        if (context.getExecutionException().isEmpty()) {
            context.getStore(NAMESPACE).get("descriptors", Descriptors.class).assertUnchanged();
            context.getStore(NAMESPACE).get("threads", Threads.class).assertUnchanged();
        }
    }
}
