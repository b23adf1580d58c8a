using Azure;
using Azure.Identity;
using Runbooks.Storage;

namespace Runbooks.AzureStorage;

/// <summary>
/// What remains when the SDK has given up: throttling, no network, no permission. All of it is "not now" to a caller,
/// and a sender that is told so tries again.
/// </summary>
internal static class AzureFaults
{
    /// <exception cref="StoreUnavailableException">Azure Storage did not do it.</exception>
    public static async Task<T> GuardAsync<T>(Func<Task<T>> call, CancellationToken cancellationToken)
    {
        try
        {
            return await call();
        }
        catch (Exception e) when (Describe(e, cancellationToken) is { } fault)
        {
            throw new StoreUnavailableException($"Azure Storage {fault}.", e);
        }
    }

    // The messages of the SDK carry whole responses: status and code say enough.
    private static string? Describe(Exception exception, CancellationToken cancellationToken) => exception switch
    {
        RequestFailedException { Status: 0 } or HttpRequestException => "cannot be reached",
        RequestFailedException { Status: 403, ErrorCode: "AuthorizationPermissionMismatch" } =>
            "refuses this identity: it lacks the role Storage Table Data Contributor or Storage Blob Data Owner on the account",
        RequestFailedException failed => $"answered {failed.Status} {failed.ErrorCode}",
        AuthenticationFailedException => "cannot be signed in to: check the identity and its role assignments",
        AggregateException { InnerExceptions: [.., var last] } => Describe(last, cancellationToken),
        OperationCanceledException when !cancellationToken.IsCancellationRequested => "did not answer in time",
        _ => null,
    };
}
