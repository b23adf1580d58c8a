using Microsoft.Net.Http.Headers;
using Runbooks.Web.Assets;

namespace Runbooks.Web.Http;

/// <summary><c>GET /assets/{name}</c>.</summary>
public static class AssetsHandler
{
    public static IResult Get(HttpRequest request, string name)
    {
        if (EmbeddedAsset.Find(name) is not { } asset)
        {
            return ApiResults.Problem(StatusCodes.Status404NotFound, "There is no such file.");
        }

        request.HttpContext.Response.Headers.CacheControl = request.Query["v"] == asset.Version
            ? "public, max-age=31536000, immutable"
            : "no-cache";
        return Results.Bytes(asset.Content, asset.Type, entityTag: new EntityTagHeaderValue($"\"{asset.Version}\""));
    }
}
