using Azure;
using Azure.Identity;
using Runbooks.Model.Storage;

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

    /// <inheritdoc cref="GuardAsync{T}"/>
    public static async Task GuardAsync(Func<Task> call, CancellationToken cancellationToken) => await GuardAsync(
        async () =>
        {
            await call();
            return true;
        },
        cancellationToken);

    /// <summary>Whether the same call may succeed later, with nothing changed but time.</summary>
    public static bool IsPassing(Exception exception) => exception switch
    {
        RequestFailedException failed => failed.Status is 0 or 403 or 408 or 429 or >= 500,
        AggregateException { InnerExceptions: [.., var last] } => IsPassing(last),
        HttpRequestException or AuthenticationFailedException or OperationCanceledException => true,
        { InnerException: { } inner } => IsPassing(inner),
        _ => false,
    };

    // The messages of the SDK carry whole responses: status and code say enough.
    private static string? Describe(Exception exception, CancellationToken cancellationToken) => exception switch
    {
        RequestFailedException { Status: 0 } or HttpRequestException => "cannot be reached",
        RequestFailedException { Status: 403, ErrorCode: "AuthorizationPermissionMismatch" } =>
            "refuses this identity: it lacks the role Storage Table Data Contributor, Storage Blob Data Owner or Storage Queue Data Contributor on the account",
        RequestFailedException { Status: 403, ErrorCode: "AuthenticationFailed" or "InvalidAuthenticationInfo" } => "does not take the account's key: check the connection string",
        RequestFailedException { Status: 403, ErrorCode: "AuthorizationFailure" } => "does not let this machine in: check the account's firewall and network rules, and the key",
        RequestFailedException failed => $"answered {failed.Status} {failed.ErrorCode}",
        AuthenticationFailedException => "cannot be signed in to: check the identity and its role assignments",
        AggregateException { InnerExceptions: [.., var last] } => Describe(last, cancellationToken),
        OperationCanceledException when !cancellationToken.IsCancellationRequested => "did not answer in time",

        // Durable Task wraps what the SDK throws into an exception of its own.
        { InnerException: RequestFailedException inner } => Describe(inner, cancellationToken),
        _ => null,
    };
}
