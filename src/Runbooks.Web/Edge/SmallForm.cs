using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;

namespace Runbooks.Web.Edge;

/// <summary>Reads the forms of our own pages; nothing that is larger.</summary>
internal static class SmallForm
{
    private static readonly FormOptions s_form = new()
    {
        ValueCountLimit = 16,
        KeyLengthLimit = 64,
        ValueLengthLimit = 16 * 1024,
        BufferBodyLengthLimit = RequestBody.MaxSmall,
        MultipartBodyLengthLimit = RequestBody.MaxSmall,
    };

    /// <returns>Null when the body is no form, or not one of ours.</returns>
    public static async Task<IFormCollection?> ReadAsync(HttpRequest request, CancellationToken cancellationToken)
    {
        if (!request.HasFormContentType || request.ContentLength > RequestBody.MaxSmall)
        {
            return null;
        }

        try
        {
            // A feature of our own: the limits are ours, whatever the host has set.
            return await new FormFeature(request, s_form).ReadFormAsync(cancellationToken);
        }
        catch (Exception unreadable) when (unreadable is InvalidDataException or IOException)
        {
            return null;
        }
    }
}
