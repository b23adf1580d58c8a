using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Runbooks.Notifications.Storms;

namespace Runbooks.Web.Http;

/// <summary>Reads the forms of our own pages; nothing that is larger.</summary>
internal static class SmallForm
{
    /// <summary>As many tickets as one page lists, each as long as a link may be.</summary>
    private const int MaxList = 1024 * 1024;

    private static readonly FormOptions s_form = Limits(16, RequestBody.MaxSmall);
    private static readonly FormOptions s_list = Limits(StormMembers.Most + 16, MaxList);

    /// <returns>Null when the body is no form, or not one of ours.</returns>
    public static Task<IFormCollection?> ReadAsync(HttpRequest request, CancellationToken cancellationToken) => ReadAsync(request, s_form, cancellationToken);

    /// <summary>The form of a page that lists many questions.</summary>
    /// <inheritdoc cref="ReadAsync(HttpRequest, CancellationToken)"/>
    public static Task<IFormCollection?> ReadListAsync(HttpRequest request, CancellationToken cancellationToken) => ReadAsync(request, s_list, cancellationToken);

    private static async Task<IFormCollection?> ReadAsync(HttpRequest request, FormOptions limits, CancellationToken cancellationToken)
    {
        if (!request.HasFormContentType || request.ContentLength > limits.BufferBodyLengthLimit)
        {
            return null;
        }

        try
        {
            // A feature of our own: the limits are ours, whatever the host has set.
            return await new FormFeature(request, limits).ReadFormAsync(cancellationToken);
        }
        catch (Exception unreadable) when (unreadable is InvalidDataException or IOException)
        {
            return null;
        }
    }

    private static FormOptions Limits(int values, int body) => new()
    {
        ValueCountLimit = values,
        KeyLengthLimit = 64,
        ValueLengthLimit = 16 * 1024,
        BufferBodyLengthLimit = body,
        MultipartBodyLengthLimit = body,
    };
}
