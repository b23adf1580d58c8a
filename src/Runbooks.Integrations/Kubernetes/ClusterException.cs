namespace Runbooks.Integrations.Kubernetes;

/// <summary>A cluster could not be asked, or said something unexpected; the message is for people. Trying again may help.</summary>
internal sealed class ClusterException(string message, Exception? inner = null) : Exception(message, inner);
