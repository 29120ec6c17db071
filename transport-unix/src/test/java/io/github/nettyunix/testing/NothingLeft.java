package io.github.nettyunix.testing;

import org.junit.jupiter.api.extension.AfterEachCallback;
import org.junit.jupiter.api.extension.BeforeEachCallback;
import org.junit.jupiter.api.extension.ExtensionContext;

/** For {@code @ExtendWith}: every test leaves open just what was open before it. */
public final class NothingLeft implements BeforeEachCallback, AfterEachCallback {
    private static final ExtensionContext.Namespace NAMESPACE = ExtensionContext.Namespace.create(NothingLeft.class);

    @Override
    public void beforeEach(ExtensionContext context) {
        context.getStore(NAMESPACE).put("before", Descriptors.now());
    }

    @Override
    public void afterEach(ExtensionContext context) {
        // What has failed already may have left things behind.
        if (context.getExecutionException().isEmpty()) {
            context.getStore(NAMESPACE).get("before", Descriptors.class).assertUnchanged();
        }
    }
}
