using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;

namespace Runbooks.Web.Http;

/// <summary>Puts the key check before endpoints of a host that checks keys itself.</summary>
internal static class ApiKeyFilters
{
    public static TBuilder NeedsKey<TBuilder>(this TBuilder endpoints, bool allowQuery = false)
        where TBuilder : IEndpointConventionBuilder =>
        endpoints.AddEndpointFilter(async (context, next) =>
        {
            var http = context.HttpContext;
            if (Gate(http).AllowsApi(http.Request, allowQuery))
            {
                return await next(context);
            }

            http.Response.Headers.WWWAuthenticate = "Bearer";
            return Answers.Problem(StatusCodes.Status401Unauthorized, "A key is needed: send it as X-Api-Key, or as Authorization: Bearer.");
        });

    public static TBuilder NeedsPageKey<TBuilder>(this TBuilder endpoints)
        where TBuilder : IEndpointConventionBuilder =>
        endpoints.AddEndpointFilter(async (context, next) =>
        {
            var http = context.HttpContext;
            if (Gate(http).AllowsPage(http.Request))
            {
                return await next(context);
            }

            PageHeaders.Write(http.Response);
            http.Response.Headers.WWWAuthenticate = "Basic realm=\"Runbooks: any name, the API key as password\", charset=\"UTF-8\"";
            return Results.Text("The console needs the API key: give it as the password, with any name.", statusCode: StatusCodes.Status401Unauthorized);
        });

    private static ApiKeyGate Gate(HttpContext http) => http.RequestServices.GetRequiredService<ApiKeyGate>();
}
