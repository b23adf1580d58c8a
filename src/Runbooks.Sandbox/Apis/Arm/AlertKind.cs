using System.Text.Json.Nodes;

namespace Runbooks.Sandbox.Apis.Arm;

/// <summary>Alerts with the state that people give them.</summary>
internal sealed class AlertKind() : ArmKind("microsoft.alertsmanagement/alerts")
{
    public override IResult? Answer(ArmRequest request, ArmOperations operations)
    {
        var alert = Resource(request);
        if (request.Is("POST", "changestate") && request.Http.Query["newState"].ToString() is "New" or "Acknowledged" or "Closed")
        {
            alert["properties"]!["essentials"]!["alertState"] = request.Http.Query["newState"].ToString();
            return Json(alert);
        }

        return request.Is("GET") ? Json(alert) : null;
    }

    protected override JsonObject Begin(ArmRequest request) => Envelope(request, "Microsoft.AlertsManagement/alerts", new JsonObject
    {
        ["essentials"] = new JsonObject { ["severity"] = "Sev1", ["alertState"] = "New", ["monitorCondition"] = "Fired" },
    });
}
