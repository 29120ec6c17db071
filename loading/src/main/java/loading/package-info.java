/** An application, which tests put into class loaders, bundles and jars. */
package loading;
