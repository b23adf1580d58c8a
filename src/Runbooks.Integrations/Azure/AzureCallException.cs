namespace Runbooks.Integrations.Azure;

/// <summary>Azure could not be asked or answered with an error; the message is for people. Trying again may help.</summary>
internal sealed class AzureCallException(string message, int status = 0, Exception? inner = null) : Exception(message, inner)
{
    /// <summary>0 when there was no answer.</summary>
    public int Status => status;
}
