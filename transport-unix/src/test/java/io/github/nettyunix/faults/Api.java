package io.github.nettyunix.faults;

import io.github.nettyunix.testing.Descriptors;

import java.util.concurrent.Callable;

/**
 * A method that is called on the thread whose calls fail.
 *
 * @param body prepares what it needs, calls the method with {@link Step#call}, and checks the result
 */
record Api(String title, Body body) implements Workload {
    /** What is done. */
    interface Body {
        void run(Step step) throws Exception;
    }

    /** Calls the method, with or without failures. */
    static final class Step {
        private final Fault fault;
        private Exception failure;

        private Step(Fault fault) {
            this.fault = fault;
        }

        <T> T call(Callable<T> method) throws Exception {
            if (fault != null) {
                fault.arm();
            }
            try {
                return FaultyLoop.call(method);
            } catch (Exception e) {
                failure = e;
                throw e;
            } finally {
                Injector.clear();
            }
        }
    }

    @Override
    public Outcome run(Fault fault) throws Exception {
        Descriptors before = Descriptors.now();
        Outcome outcome = new Outcome(fault);
        Step step = new Step(fault);
        try {
            body.run(step);
        } catch (Exception e) {
            if (e != step.failure) {
                throw e;
            }
            outcome.failed(e);
            body.run(new Step(null));
        }
        before.assertUnchanged();
        return outcome;
    }
}
