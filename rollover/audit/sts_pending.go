package audit

func deliverySTS(_ Domain, h Host) (Delivery, bool, string) {
	v := plain(h)
	return v.Delivery, v.Partly, v.Why
}
